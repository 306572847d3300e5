// SPDX-License-Identifier: BSL-1.0
#pragma once

// Includes all definitions of the compiled library. palette::keys is built from src/, which has a source file
// for each room of impl/. A build without CMake can include this file in one source file instead; it then
// defines PALETTE_KEYS_SEPARATE_COMPILATION in all of its translation units.

#include <palette/detail/config.hpp>

#ifndef PALETTE_KEYS_SEPARATE_COMPILATION
#    error \
        "palette/src.hpp is for separate compilation: define PALETTE_KEYS_SEPARATE_COMPILATION everywhere, or leave this include out and use the library header-only"
#endif

#include <palette/impl/auth/api_key.ipp>
#include <palette/impl/auth/echo.ipp>
#include <palette/impl/auth/environment.ipp>
#include <palette/impl/auth/file.ipp>
#include <palette/impl/auth/login.ipp>
#include <palette/impl/auth/login_messages.ipp>
#include <palette/impl/auth/token.ipp>
#include <palette/impl/auth/token_end.ipp>
#include <palette/impl/client/blocking_client.ipp>
#include <palette/impl/client/changing.ipp>
#include <palette/impl/client/client.ipp>
#include <palette/impl/client/create_machine.ipp>
#include <palette/impl/client/creating.ipp>
#include <palette/impl/client/creation.ipp>
#include <palette/impl/client/default_transport.ipp>
#include <palette/impl/client/reading.ipp>
#include <palette/impl/client/reconciling.ipp>
#include <palette/impl/client/serial.ipp>
#include <palette/impl/lifecycle/audit_finding.ipp>
#include <palette/impl/lifecycle/audit_formats.ipp>
#include <palette/impl/lifecycle/audit_html.ipp>
#include <palette/impl/lifecycle/audit_report.ipp>
#include <palette/impl/lifecycle/audit_sarif.ipp>
#include <palette/impl/lifecycle/auditor.ipp>
#include <palette/impl/lifecycle/command_sink.ipp>
#include <palette/impl/lifecycle/etcd_gateway.ipp>
#include <palette/impl/lifecycle/etcd_lock.ipp>
#include <palette/impl/lifecycle/etcd_messages.ipp>
#include <palette/impl/lifecycle/etcd_store.ipp>
#include <palette/impl/lifecycle/file_sink.ipp>
#include <palette/impl/lifecycle/file_store.ipp>
#include <palette/impl/lifecycle/program_run.ipp>
#include <palette/impl/lifecycle/receipt_json.ipp>
#include <palette/impl/lifecycle/record_envelope.ipp>
#include <palette/impl/lifecycle/roster.ipp>
#include <palette/impl/lifecycle/rotation.ipp>
#include <palette/impl/lifecycle/rotation_driver.ipp>
#include <palette/impl/lifecycle/rotation_machine.ipp>
#include <palette/impl/lifecycle/rotation_record.ipp>
#include <palette/impl/lifecycle/rotator.ipp>
#include <palette/impl/lifecycle/sink_provider.ipp>
#include <palette/impl/lifecycle/sink_state.ipp>
#include <palette/impl/lifecycle/sink_values.ipp>
#include <palette/impl/net/address_race.ipp>
#include <palette/impl/net/connect_race.ipp>
#include <palette/impl/net/connector.ipp>
#include <palette/impl/net/http_connection.ipp>
#include <palette/impl/net/http_transport.ipp>
#include <palette/impl/net/lookup.ipp>
#include <palette/impl/net/pool.ipp>
#include <palette/impl/net/response_parser.ipp>
#include <palette/impl/net/stream.ipp>
#include <palette/impl/net/tls.ipp>
#include <palette/impl/net/tls_context.ipp>
#include <palette/impl/net/tunnel.ipp>
#include <palette/impl/observe/counters.ipp>
#include <palette/impl/observe/lines.ipp>
#include <palette/impl/pipeline/answer.ipp>
#include <palette/impl/pipeline/call.ipp>
#include <palette/impl/pipeline/credentials.ipp>
#include <palette/impl/pipeline/limited_transport.ipp>
#include <palette/impl/pipeline/pipeline.ipp>
#include <palette/impl/pipeline/redact.ipp>
#include <palette/impl/pipeline/retry_after.ipp>
#include <palette/impl/redaction/known_secrets.ipp>
#include <palette/impl/redaction/redactor.ipp>
#include <palette/impl/seams/auth_provider.ipp>
#include <palette/impl/seams/options.ipp>
#include <palette/impl/seams/proxy.ipp>
#include <palette/impl/seams/proxy_bypass.ipp>
#include <palette/impl/seams/rate_limiter.ipp>
#include <palette/impl/seams/transport.ipp>
#include <palette/impl/system/atomic_file.ipp>
#include <palette/impl/system/child_process.ipp>
#include <palette/impl/system/directory.ipp>
#include <palette/impl/system/environment.ipp>
#include <palette/impl/system/file_lock.ipp>
#include <palette/impl/system/files.ipp>
#include <palette/impl/system/private_file.ipp>
#include <palette/impl/system/this_process.ipp>
#include <palette/impl/system/write_secret_file.ipp>
#include <palette/impl/time/sleep.ipp>
#include <palette/impl/values/api_key.ipp>
#include <palette/impl/values/credential.ipp>
#include <palette/impl/values/endpoint.ipp>
#include <palette/impl/values/error.ipp>
#include <palette/impl/values/expiry.ipp>
#include <palette/impl/values/http_date.ipp>
#include <palette/impl/values/key_requests.ipp>
#include <palette/impl/values/key_text.ipp>
#include <palette/impl/values/pending_create.ipp>
#include <palette/impl/values/printable.ipp>
#include <palette/impl/values/rfc3339.ipp>
#include <palette/impl/values/secret.ipp>
#include <palette/impl/values/string_map.ipp>
#include <palette/impl/values/user.ipp>
#include <palette/impl/wire/decode.ipp>
#include <palette/impl/wire/encode.ipp>
#include <palette/impl/wire/json.ipp>
#include <palette/impl/wire/json_reader.ipp>
#include <palette/impl/wire/pending_create_text.ipp>
#include <palette/impl/wire/text.ipp>
