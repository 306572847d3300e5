// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/action.ipp>
#include <palette/impl/lifecycle/apply.ipp>
#include <palette/impl/lifecycle/apply_admission.ipp>
#include <palette/impl/lifecycle/apply_driver.ipp>
#include <palette/impl/lifecycle/apply_journal.ipp>
#include <palette/impl/lifecycle/apply_machine.ipp>
#include <palette/impl/lifecycle/bulk_report.ipp>
#include <palette/impl/lifecycle/plan.ipp>
#include <palette/impl/lifecycle/plan_maker.ipp>
#include <palette/impl/lifecycle/plan_parse.ipp>
#include <palette/impl/lifecycle/plan_text.ipp>
#include <palette/impl/lifecycle/selection.ipp>
