// SPDX-License-Identifier: BSL-1.0
#include "describe.hpp"

int main() {
    return describe(palette::Expiry::never()) == "expires never" ? 0 : 1;
}
