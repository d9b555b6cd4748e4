"""Mistakes that type checkers must find, one a line; behind each the codes of mypy and of basedpyright."""

import neurosteer as ns
from neurosteer.forward import scoer  # attr-defined, reportAttributeAccessIssue
from neurosteer.model import no_such_thing  # attr-defined, reportAttributeAccessIssue
from neurosteer.report import find_tabel  # attr-defined, reportAttributeAccessIssue
from neurosteer.studies import Fuond  # attr-defined, reportAttributeAccessIssue

ns.fnid  # attr-defined, reportAttributeAccessIssue
ns.no_such_thing  # attr-defined, reportAttributeAccessIssue

model = ns.load_model("smollm2-135m", dtype="float23")  # arg-type, reportArgumentType
ns.load_model("smollm2-135m", devise="cpu")  # call-arg, reportCallIssue
model.n_layer  # attr-defined, reportAttributeAccessIssue

pairs = ns.load_pairs("intransitive")
ns.find(model)  # call-arg, reportCallIssue
ns.find(model, pairs, split="lexicl")  # arg-type, reportArgumentType
ns.find(model, pairs, methods=["welsh"])  # list-item, reportArgumentType
ns.find(model, pairs, site="resid_pots")  # arg-type, reportArgumentType
ns.find(model, pairs, layers="al")  # arg-type, reportArgumentType
ns.find(model, pairs, postion="last")  # call-arg, reportCallIssue
ns.L0Settings(start="hot")  # arg-type, reportArgumentType

found = ns.find(model, pairs)
found.layers[0].dens  # attr-defined, reportAttributeAccessIssue
found.rankings_("welch")  # attr-defined, reportAttributeAccessIssue
found.test.digset  # attr-defined, reportAttributeAccessIssue

top = found.ranking("welch").top(40)
found.ranking("welch").top(40, layers="al")  # arg-type, reportArgumentType
top.unit  # attr-defined, reportAttributeAccessIssue
ns.Edit.ablate(top, to="maen")  # arg-type, reportArgumentType
ns.Edit.ablate(top, where="promt")  # arg-type, reportArgumentType
ns.Edit.amplify(top, by=2.0, to="resample")  # arg-type, reportArgumentType
ns.Edit.amplify(top, by=2.0, reach="onwards")  # arg-type, reportArgumentType
ns.Edit.amplify(top, by=2.0, about="mean")  # call-arg, reportCallIssue

ns.open_run("mine", ns.Effect)[0].margn  # attr-defined, reportAttributeAccessIssue
ns.open_run("runs/run-fig5", ns.RecipeRun).figurs  # attr-defined, reportAttributeAccessIssue

ns.score(model, pairs, convention="minicon").accuracy  # arg-type, reportArgumentType
ns.score(model, pairs).acuracy  # attr-defined, reportAttributeAccessIssue
ns.eos_states(model, pairs, position="lst").values  # arg-type, reportArgumentType
ns.generate(model, "The guests have", max_tokens=20)  # call-overload, reportCallIssue
ns.generate(model, "The guests have").txt  # attr-defined, reportAttributeAccessIssue
