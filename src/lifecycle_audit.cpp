// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/audit.ipp>
#include <palette/impl/lifecycle/audit_finding.ipp>
#include <palette/impl/lifecycle/audit_formats.ipp>
#include <palette/impl/lifecycle/audit_html.ipp>
#include <palette/impl/lifecycle/audit_report.ipp>
#include <palette/impl/lifecycle/audit_sarif.ipp>
#include <palette/impl/lifecycle/auditor.ipp>
#include <palette/impl/lifecycle/roster.ipp>
#include <palette/impl/lifecycle/watch.ipp>
#include <palette/impl/lifecycle/watch_machine.ipp>
