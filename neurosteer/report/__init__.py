"""Results in; tables, figures and files out. Knows no model and no tensor library.

The figures are imported when they are first used: matplotlib takes most of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .canvas import save_figure as save_figure
    from .canvas import save_pdf as save_pdf
    from .canvas import save_pictures as save_pictures
    from .cards import card_table as card_table
    from .comparing import compare_table as compare_table
    from .dose_figures import dose_figure as dose_figure
    from .effect_figures import effect_figure as effect_figure
    from .effects import effect_table as effect_table
    from .evidence import answers_csv as answers_csv
    from .evidence import curve_csv as curve_csv
    from .evidence import elsewhere_csv as elsewhere_csv
    from .evidence import evidence_table as evidence_table
    from .evidence import map_csv as map_csv
    from .evidence_figures import evidence_figure as evidence_figure
    from .evidence_figures import faithfulness_figure as faithfulness_figure
    from .evidence_map import map_figure as map_figure
    from .export import layers_csv as layers_csv
    from .export import layers_frame as layers_frame
    from .export import rows_csv as rows_csv
    from .export import to_json as to_json
    from .figures import find_figure as find_figure
    from .notebook import card_html as card_html
    from .notebook import effect_html as effect_html
    from .notebook import evidence_html as evidence_html
    from .notebook import find_html as find_html
    from .pages import card_page as card_page
    from .scores import score_table as score_table
    from .side_by_side import comparison_table as comparison_table
    from .tables import find_table as find_table
    from .texts import generation_table as generation_table
    from .texts import touch_table as touch_table
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)
