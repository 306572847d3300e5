// SPDX-License-Identifier: BSL-1.0
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
