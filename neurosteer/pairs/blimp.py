"""The 67 tasks of BLiMP, the Benchmark of Linguistic Minimal Pairs (Warstadt et al., TACL 2020)."""

from __future__ import annotations

from dataclasses import dataclass

HUB_ID = "nyu-mll/blimp"


@dataclass(frozen=True)
class BlimpTask:
    uid: str
    phenomenon: str  # one of the paper's twelve
    field: str  # morphology, syntax, semantics or syntax_semantics


_TABLE = """
anaphor_agreement morphology: anaphor_gender_agreement anaphor_number_agreement
argument_structure syntax: animate_subject_passive animate_subject_trans causative drop_argument
    inchoative intransitive passive_1 passive_2 transitive
binding syntax_semantics: principle_A_c_command principle_A_case_1 principle_A_case_2 principle_A_domain_1
    principle_A_domain_2 principle_A_domain_3 principle_A_reconstruction
control_raising syntax_semantics: existential_there_object_raising existential_there_subject_raising
    expletive_it_object_raising tough_vs_raising_1 tough_vs_raising_2
determiner_noun_agreement morphology: determiner_noun_agreement_1 determiner_noun_agreement_2
    determiner_noun_agreement_irregular_1 determiner_noun_agreement_irregular_2
    determiner_noun_agreement_with_adj_2 determiner_noun_agreement_with_adj_irregular_1
    determiner_noun_agreement_with_adj_irregular_2 determiner_noun_agreement_with_adjective_1
ellipsis syntax: ellipsis_n_bar_1 ellipsis_n_bar_2
filler_gap_dependency syntax: wh_questions_object_gap wh_questions_subject_gap
    wh_questions_subject_gap_long_distance wh_vs_that_no_gap wh_vs_that_no_gap_long_distance
    wh_vs_that_with_gap wh_vs_that_with_gap_long_distance
irregular_forms morphology: irregular_past_participle_adjectives irregular_past_participle_verbs
island_effects syntax: adjunct_island complex_NP_island coordinate_structure_constraint_complex_left_branch
    coordinate_structure_constraint_object_extraction left_branch_island_echo_question
    left_branch_island_simple_question sentential_subject_island wh_island
npi_licensing semantics: matrix_question_npi_licensor_present npi_present_1 npi_present_2
    only_npi_licensor_present sentential_negation_npi_licensor_present
npi_licensing syntax_semantics: only_npi_scope sentential_negation_npi_scope
quantifiers semantics: existential_there_quantifiers_1 existential_there_quantifiers_2
    superlative_quantifiers_1 superlative_quantifiers_2
subject_verb_agreement morphology: distractor_agreement_relational_noun
    distractor_agreement_relative_clause irregular_plural_subject_verb_agreement_1
    irregular_plural_subject_verb_agreement_2 regular_plural_subject_verb_agreement_1
    regular_plural_subject_verb_agreement_2
"""


def _read(table: str) -> tuple[BlimpTask, ...]:
    tasks = []
    for line in table.replace("\n    ", " ").strip().splitlines():
        kind, _, uids = line.partition(":")
        phenomenon, field = kind.split()
        tasks += [BlimpTask(uid, phenomenon, field) for uid in uids.split()]
    return tuple(sorted(tasks, key=lambda task: task.uid))


TASKS = _read(_TABLE)
PHENOMENON_OF = {task.uid: task.phenomenon for task in TASKS}


def normalise(term: str) -> str:
    """A `linguistics_term` of the data files as one of the paper's phenomena, where it is one.

    The files put the two animate_subject tasks under `s-selection`, the paper under argument structure.
    """
    name = term.strip().lower().replace("-", "_").replace("/", "_").replace(" ", "_")
    return "argument_structure" if name == "s_selection" else name
