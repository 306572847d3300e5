// SPDX-License-Identifier: BSL-1.0
#pragma once

// Includes all definitions of the emulator, for builds that compile them in one translation unit; see
// palette/src.hpp.

#include <palette/detail/config.hpp>

#ifndef PALETTE_KEYS_SEPARATE_COMPILATION
#    error \
        "palette/testing/src.hpp is for separate compilation: define PALETTE_KEYS_SEPARATE_COMPILATION everywhere, or leave this include out and use the emulator header-only"
#endif

#include <palette/impl/emulator/faults/fault_list.ipp>
#include <palette/impl/emulator/faults/fault_rule.ipp>
#include <palette/impl/emulator/faults/faulty_answers.ipp>
#include <palette/impl/emulator/http/certificates.ipp>
#include <palette/impl/emulator/http/connection.ipp>
#include <palette/impl/emulator/http/emulator.ipp>
#include <palette/impl/emulator/http/hosts.ipp>
#include <palette/impl/emulator/http/http.ipp>
#include <palette/impl/emulator/http/pause.ipp>
#include <palette/impl/emulator/http/request_log.ipp>
#include <palette/impl/emulator/http/request_parser.ipp>
#include <palette/impl/emulator/http/request_reader.ipp>
#include <palette/impl/emulator/http/server.ipp>
#include <palette/impl/emulator/http/session.ipp>
#include <palette/impl/emulator/service/answers.ipp>
#include <palette/impl/emulator/service/bodies.ipp>
#include <palette/impl/emulator/service/crypto.ipp>
#include <palette/impl/emulator/service/directory.ipp>
#include <palette/impl/emulator/service/operations.ipp>
#include <palette/impl/emulator/service/refusal.ipp>
#include <palette/impl/emulator/service/routes.ipp>
#include <palette/impl/emulator/service/seeds.ipp>
#include <palette/impl/emulator/service/service.ipp>
#include <palette/impl/emulator/service/tenant.ipp>
#include <palette/impl/emulator/service/test_user.ipp>
#include <palette/impl/emulator/service/tokens.ipp>
#include <palette/testing/client_options.ipp>
#include <palette/testing/crash_explorer.ipp>
