// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/beast/http.hpp>
#include <boost/json/value.hpp>
#include <palette/client.hpp>
#include <palette/impl/pipeline/loop.hpp>
#include <palette/lifecycle/slot.hpp>
