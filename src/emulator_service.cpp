// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/emulator/answers.ipp>
#include <palette/impl/emulator/bodies.ipp>
#include <palette/impl/emulator/crypto.ipp>
#include <palette/impl/emulator/operations.ipp>
#include <palette/impl/emulator/refusal.ipp>
#include <palette/impl/emulator/routes.ipp>
#include <palette/impl/emulator/seeds.ipp>
#include <palette/impl/emulator/service.ipp>
#include <palette/impl/emulator/tenant.ipp>
#include <palette/impl/emulator/test_user.ipp>
#include <palette/impl/emulator/tokens.ipp>
