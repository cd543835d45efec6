"""skillsgap: from a survey of public servants and a staff register to profiles, gaps and a training plan.

``import skillsgap as sg`` loads nothing heavy; each verb is fetched from its room when first used.
"""

import os
from importlib import import_module

# one thread each, so that numbers don't depend on how many cores there are; a user's own setting wins
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

__version__ = "0.1.0"

_HOMES = {
    "skillsgap.errors": ["EstimateError", "ParamsError", "PlanError", "SkillsgapError", "StudyError"],
    "skillsgap.study.params": ["read_params"],
    "skillsgap.study.records": ["read_study"],
    "skillsgap.study.quality": ["assess_quality"],
    "skillsgap.study.synthetic.country": ["make_country"],
    "skillsgap.study.synthetic.spec": ["read_spec", "small_spec"],
    "skillsgap.estimate.aggregates": ["published_gaps", "published_means"],
    "skillsgap.estimate.readiness": ["readiness"],
    "skillsgap.estimate.survey.design": ["replicate_design", "survey_design"],
    "skillsgap.estimate.survey.margins": ["register_margins"],
    "skillsgap.estimate.survey.weighting": ["calibrate", "calibration_diagnostics", "weight_changes"],
    "skillsgap.estimate.survey.means": ["design_means"],
    "skillsgap.estimate.survey.response": ["adjust_response", "representativity", "response_cells", "response_rates",
                                           "tipping_interval", "tipping_point"],
    "skillsgap.estimate.survey.estimates": ["survey_difference", "survey_mean", "survey_proportion", "survey_ratio",
                                            "survey_total", "weight_summary"],
    "skillsgap.estimate.survey.quantiles": ["survey_quantile"],
    "skillsgap.estimate.survey.regression": ["survey_regression"],
    "skillsgap.estimate.survey.crosstabs": ["rao_scott_test"],
    "skillsgap.estimate.measures.scoring": ["plausible_levels", "score_competencies"],
    "skillsgap.estimate.measures.reliability": ["group_mean_reliability", "reliability"],
    "skillsgap.estimate.measures.selfreport": ["calibrated_levels", "self_report_difference"],
    "skillsgap.estimate.measures.dif": ["comparable_items", "differential_functioning"],
    "skillsgap.estimate.measures.itemdif": ["item_dif"],
    "skillsgap.estimate.measures.irt": ["ItemResponseModel", "item_parameters"],
    "skillsgap.estimate.measures.irt_abilities": ["expected_level", "graded_levels", "marginal_reliability",
                                                  "plausible_abilities", "test_information"],
    "skillsgap.estimate.measures.scales": ["scale_statistics"],
    "skillsgap.estimate.measures.polychoric": ["polychoric_correlations"],
    "skillsgap.estimate.measures.raters": ["rater_agreement"],
    "skillsgap.estimate.measures.careless": ["careless_answers", "with_and_without"],
    "skillsgap.estimate.profiles.competency": ["CompetencyProfiles"],
    "skillsgap.estimate.profiles.description": ["classification_table", "describe_profiles"],
    "skillsgap.estimate.profiles.gaussian": ["select_covariance"],
    "skillsgap.estimate.profiles.selection": ["select_profiles"],
    "skillsgap.estimate.profiles.likelihoodratio": ["bootstrap_likelihood_ratio"],
    "skillsgap.estimate.profiles.answerable": ["profile_problems"],
    "skillsgap.estimate.profiles.shares": ["profile_estimates", "profile_replicates"],
    "skillsgap.estimate.profiles.sandwich": ["profile_errors"],
    "skillsgap.estimate.profiles.stability": ["compare_profiles", "profile_stability"],
    "skillsgap.estimate.profiles.outcomes": ["profile_outcomes"],
    "skillsgap.estimate.profiles.membership": ["profile_regression"],
    "skillsgap.estimate.profiles.onestep": ["ProfileMembership"],
    "skillsgap.estimate.workforce.cells": ["register_cells"],
    "skillsgap.estimate.workforce.projection": ["project_staff"],
    "skillsgap.estimate.workforce.cohorts": ["cohort_groups", "cohorts"],
    "skillsgap.estimate.requirements": ["derive_requirements"],
    "skillsgap.estimate.gaps": ["group_needs", "skill_gaps"],
    "skillsgap.estimate.priorities": ["rank_priorities"],
    "skillsgap.estimate.workforce.able": ["able_counts"],
    "skillsgap.decide.options": ["training_options"],
    "skillsgap.decide.policy": ["policy_rules"],
    "skillsgap.decide.problem": ["plan_problem"],
    "skillsgap.decide.plan": ["PlanConflict", "best_plan", "plan_training"],
    "skillsgap.decide.practice": ["common_practice"],
    "skillsgap.decide.frontier": ["budget_frontier", "rule_prices"],
    "skillsgap.decide.draws": ["plan_draws"],
    "skillsgap.decide.strata": ["executable_plan"],
    "skillsgap.decide.recommendations": ["recommendations"],
    "skillsgap.publish.quality": ["coverage_figure", "quality_figure"],
    "skillsgap.publish.respondents": ["response_figure", "tipping_figure"],
    "skillsgap.publish.measurement": ["information_figure", "reliability_figure", "self_report_figure"],
    "skillsgap.publish.items": ["items_figure"],
    "skillsgap.publish.evidence": ["certainty_figure", "number_figure", "stability_figure"],
    "skillsgap.publish.profiles": ["share_figure"],
    "skillsgap.publish.spread": ["spread_figure"],
    "skillsgap.publish.disclosure": ["release_tables"],
    "skillsgap.publish.figures": ["frontier_figure", "gap_figure", "needs_figure", "profile_figure"],
    "skillsgap.run.unit": ["open_unit"],
    "skillsgap.run.forecast": ["comparable_units", "forecast"],
    "skillsgap.run.release": ["open_report"],
    "skillsgap.run.planning": ["importance_weights"],
    "skillsgap.run.plans": ["unit_problem"],
    "skillsgap.run.truth": ["beside_truth"],
    "skillsgap.run.batch": ["run_unit"],
}
_HOME = {verb: module for module, verbs in _HOMES.items() for verb in verbs}
__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'skillsgap' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
