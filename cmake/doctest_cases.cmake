# SPDX-License-Identifier: BSL-1.0
# Every test case of a doctest program as a test of ctest, under its own name; or many of them as one, where
# palette_keys_cases_in_process is not 1.
#
# doctest's own helper takes names apart at brackets and semicolons, and a test of it passes when
# its filter matches nothing.

# palette_keys_discover_cases(<target>)
#
# The target's property PALETTE_KEYS_TEST_PROPERTIES is what its tests have beside: "LABELS;slow". Its property
# PALETTE_KEYS_CASES_IN_PROCESS, where it has one, counts in place of palette_keys_cases_in_process.
function(palette_keys_discover_cases target)
  set(own "$<TARGET_PROPERTY:${target},PALETTE_KEYS_CASES_IN_PROCESS>")
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}_cases.cmake")
  file(GENERATE OUTPUT "${script}" CONTENT "\
set(PALETTE_KEYS_TEST_PROGRAM [==[$<TARGET_FILE:${target}>]==])
set(PALETTE_KEYS_TEST_PROPERTIES [==[$<TARGET_PROPERTY:${target},PALETTE_KEYS_TEST_PROPERTIES>]==])
set(PALETTE_KEYS_CASES_IN_PROCESS [==[$<IF:$<BOOL:${own}>,${own},${palette_keys_cases_in_process}>]==])
include([==[${PROJECT_SOURCE_DIR}/cmake/add_doctest_cases.cmake]==])
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${script}")
endfunction()
