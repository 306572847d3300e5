// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/plans/action.ipp>
#include <palette/impl/lifecycle/plans/apply.ipp>
#include <palette/impl/lifecycle/plans/apply_admission.ipp>
#include <palette/impl/lifecycle/plans/apply_driver.ipp>
#include <palette/impl/lifecycle/plans/apply_journal.ipp>
#include <palette/impl/lifecycle/plans/apply_machine.ipp>
#include <palette/impl/lifecycle/plans/bulk_report.ipp>
#include <palette/impl/lifecycle/plans/plan.ipp>
#include <palette/impl/lifecycle/plans/plan_maker.ipp>
#include <palette/impl/lifecycle/plans/plan_parse.ipp>
#include <palette/impl/lifecycle/plans/plan_text.ipp>
#include <palette/impl/lifecycle/plans/selection.ipp>
