// SPDX-License-Identifier: BSL-1.0
// What a program pays that rotates keys, looks at them, or acts on many: opened_headers.cmake looks at what
// this opens.
#include <palette/lifecycle/apply.hpp>
#include <palette/lifecycle/audit.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/lifecycle/rotation_store.hpp>
#include <palette/lifecycle/rotator.hpp>
#include <palette/lifecycle/secret_sink.hpp>
#include <palette/lifecycle/watch.hpp>
#include <palette/testing/memory_sink.hpp>
