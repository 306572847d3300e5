// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/command_sink.ipp>
#include <palette/impl/lifecycle/file_sink.ipp>
#include <palette/impl/lifecycle/file_store.ipp>
#include <palette/impl/lifecycle/program_run.ipp>
#include <palette/impl/lifecycle/receipt_json.ipp>
#include <palette/impl/lifecycle/record_envelope.ipp>
#include <palette/impl/lifecycle/rotation.ipp>
#include <palette/impl/lifecycle/rotation_driver.ipp>
#include <palette/impl/lifecycle/rotation_machine.ipp>
#include <palette/impl/lifecycle/rotation_record.ipp>
#include <palette/impl/lifecycle/rotator.ipp>
#include <palette/impl/lifecycle/sink_provider.ipp>
#include <palette/impl/lifecycle/sink_state.ipp>
#include <palette/impl/lifecycle/sink_values.ipp>
