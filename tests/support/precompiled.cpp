// SPDX-License-Identifier: BSL-1.0
// The object library whose precompiled header the test programs share has to have a source file.
