// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/emulator/certificates.ipp>
#include <palette/impl/emulator/connection.ipp>
#include <palette/impl/emulator/emulator.ipp>
#include <palette/impl/emulator/fault_list.ipp>
#include <palette/impl/emulator/fault_rule.ipp>
#include <palette/impl/emulator/faulty_answers.ipp>
#include <palette/impl/emulator/hosts.ipp>
#include <palette/impl/emulator/http.ipp>
#include <palette/impl/emulator/pause.ipp>
#include <palette/impl/emulator/request_log.ipp>
#include <palette/impl/emulator/request_parser.ipp>
#include <palette/impl/emulator/request_reader.ipp>
#include <palette/impl/emulator/server.ipp>
#include <palette/impl/emulator/session.ipp>
#include <palette/testing/client_options.ipp>
