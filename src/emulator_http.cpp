// SPDX-License-Identifier: BSL-1.0
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
#include <palette/testing/client_options.ipp>
