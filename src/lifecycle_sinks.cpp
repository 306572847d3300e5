// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/sinks/command_sink.ipp>
#include <palette/impl/lifecycle/sinks/file_sink.ipp>
#include <palette/impl/lifecycle/sinks/program_run.ipp>
#include <palette/impl/lifecycle/sinks/receipt_json.ipp>
#include <palette/impl/lifecycle/sinks/sink_state.ipp>
#include <palette/impl/lifecycle/sinks/sink_values.ipp>
