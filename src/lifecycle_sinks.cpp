// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/command_sink.ipp>
#include <palette/impl/lifecycle/file_sink.ipp>
#include <palette/impl/lifecycle/program_run.ipp>
#include <palette/impl/lifecycle/receipt_json.ipp>
#include <palette/impl/lifecycle/sink_state.ipp>
#include <palette/impl/lifecycle/sink_values.ipp>
