// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/audit/audit.ipp>
#include <palette/impl/lifecycle/audit/audit_finding.ipp>
#include <palette/impl/lifecycle/audit/audit_formats.ipp>
#include <palette/impl/lifecycle/audit/audit_html.ipp>
#include <palette/impl/lifecycle/audit/audit_report.ipp>
#include <palette/impl/lifecycle/audit/audit_sarif.ipp>
#include <palette/impl/lifecycle/audit/auditor.ipp>
#include <palette/impl/lifecycle/audit/roster.ipp>
#include <palette/impl/lifecycle/watch/watch.ipp>
#include <palette/impl/lifecycle/watch/watch_machine.ipp>
