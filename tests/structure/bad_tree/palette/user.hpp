// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/post.hpp>
#include <boost/core/span.hpp>
#include <palette/detail/small.hpp>
#include <palette/impl/wire/codec.hpp>
#include <string>

#include "detail/small.hpp"

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/user.ipp>
#endif
