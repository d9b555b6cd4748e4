"""Plain rows in; tables, figures and files out. Knows no model and no tensor library.

The figures are imported when they are first used: matplotlib takes most of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

from .export import layers_csv as layers_csv
from .export import to_json as to_json
from .notebook import find_html as find_html
from .tables import find_table as find_table

if TYPE_CHECKING:
    from .figures import find_figure as find_figure
    from .figures import save_figure as save_figure


__getattr__ = lazily(__name__, {"find_figure": "figures", "save_figure": "figures"})
