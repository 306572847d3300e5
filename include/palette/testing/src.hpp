// SPDX-License-Identifier: BSL-1.0
#pragma once

// The bodies of the emulator, for builds that put them into one translation unit; see palette/src.hpp.

#include <palette/detail/config.hpp>

#ifndef PALETTE_KEYS_SEPARATE_COMPILATION
#    error \
        "palette/testing/src.hpp is for separate compilation: define PALETTE_KEYS_SEPARATE_COMPILATION everywhere, or leave this include out and use the emulator header-only"
#endif

#include <palette/impl/emulator/answers.ipp>
#include <palette/impl/emulator/bodies.ipp>
#include <palette/impl/emulator/certificates.ipp>
#include <palette/impl/emulator/connection.ipp>
#include <palette/impl/emulator/crypto.ipp>
#include <palette/impl/emulator/emulator.ipp>
#include <palette/impl/emulator/fault_list.ipp>
#include <palette/impl/emulator/fault_rule.ipp>
#include <palette/impl/emulator/faulty_answers.ipp>
#include <palette/impl/emulator/hosts.ipp>
#include <palette/impl/emulator/http.ipp>
#include <palette/impl/emulator/operations.ipp>
#include <palette/impl/emulator/pause.ipp>
#include <palette/impl/emulator/refusal.ipp>
#include <palette/impl/emulator/request_log.ipp>
#include <palette/impl/emulator/request_parser.ipp>
#include <palette/impl/emulator/request_reader.ipp>
#include <palette/impl/emulator/routes.ipp>
#include <palette/impl/emulator/seeds.ipp>
#include <palette/impl/emulator/server.ipp>
#include <palette/impl/emulator/service.ipp>
#include <palette/impl/emulator/session.ipp>
#include <palette/impl/emulator/tenant.ipp>
#include <palette/impl/emulator/test_user.ipp>
#include <palette/impl/emulator/tokens.ipp>
#include <palette/testing/client_options.ipp>
