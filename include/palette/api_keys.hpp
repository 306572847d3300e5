// SPDX-License-Identifier: BSL-1.0
#pragma once

// Includes everything of palette-keys that a program needs to manage API keys.

#include <palette/api_key.hpp>
#include <palette/audit_event.hpp>
#include <palette/auth.hpp>
#include <palette/auth_provider.hpp>
#include <palette/blocking_client.hpp>
#include <palette/caller.hpp>
#include <palette/client.hpp>
#include <palette/clock.hpp>
#include <palette/credential.hpp>
#include <palette/endpoint.hpp>
#include <palette/error.hpp>
#include <palette/expiry.hpp>
#include <palette/instant.hpp>
#include <palette/key_limit.hpp>
#include <palette/list_of.hpp>
#include <palette/observer.hpp>
#include <palette/options.hpp>
#include <palette/pending_create.hpp>
#include <palette/proxy.hpp>
#include <palette/rate_limiter.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>
#include <palette/string_map.hpp>
#include <palette/tokens.hpp>
#include <palette/transport.hpp>
#include <palette/user.hpp>
#include <palette/version.hpp>
#include <palette/visit.hpp>
#include <palette/write_secret_file.hpp>
