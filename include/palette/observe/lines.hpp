// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/observer.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::observe {

/// Says how a line is written.
enum class LineFormat {
    logfmt,  ///< As `key=value` pairs.
    json,    ///< As one JSON object.
};

/// Returns an observer that gives `write` one line, without the line's end, for each attempt and each
/// operation that has ended.
///
///     options.observer = observe::lines([](std::string_view line) { std::clog << line << '\n'; });
///
/// The lines, broken here:
/// ```
///     event=attempt operation=revoke operation_id=7 attempt=1 method=PUT path="/v1/apiKeys/{uid}/state"
///         host=palette.acme.com port=443 status=204 duration_ms=12.3 reused=true sent=412 received=102
///     event=operation operation=revoke operation_id=7 key=463209768807a774078d86d3 attempts=1 queued_ms=0.0
///         duration_ms=12.4
/// ```
/// A failed one has error=..., the name of the code, beside, a failed operation effect=..., and either
/// traceparent=... if there is one. Of the phases of an attempt, those that took place are there: wait_ms,
/// lookup_ms, connect_ms, handshake_ms, first_byte_ms. Fields may be added. Nothing in a line is secret.
///
/// Threads: `write` is called on the executor of the client that has the observer; clients that share it call
/// it at the same time. What it throws is dropped, and so is a line for which there is no memory.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<Observer> lines(std::function<void(std::string_view)> write,
                                                                LineFormat format = LineFormat::logfmt);

}  // namespace palette::inline PALETTE_KEYS_ABI::observe

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/observe/lines.ipp>
#endif
