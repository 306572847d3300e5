// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/outcome.hpp>

namespace support {

// The outcome of an attempt that was answered completely.
inline palette::impl::pipeline::AttemptOutcome answered(int status, palette::errc code) {
    palette::impl::pipeline::AttemptOutcome outcome;
    outcome.code = code;
    outcome.status = status;
    outcome.sent = true;
    outcome.complete = true;
    return outcome;
}

inline palette::impl::pipeline::AttemptOutcome answered(int status) {
    return answered(status, palette::impl::pipeline::code_of_status(status));
}

// The outcome of an attempt whose request was sent, and whose answer is missing or incomplete.
inline palette::impl::pipeline::AttemptOutcome broken(palette::errc code = palette::errc::transport,
                                                      bool silent_reused = false) {
    palette::impl::pipeline::AttemptOutcome outcome;
    outcome.code = code;
    outcome.sent = true;
    outcome.silent_reused = silent_reused;
    return outcome;
}

// The outcome of an attempt whose request was not sent.
inline palette::impl::pipeline::AttemptOutcome unsent(palette::errc code = palette::errc::transport,
                                                      int status = 0) {
    palette::impl::pipeline::AttemptOutcome outcome;
    outcome.code = code;
    outcome.status = status;
    return outcome;
}

}  // namespace support
