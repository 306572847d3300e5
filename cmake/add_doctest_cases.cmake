# SPDX-License-Identifier: BSL-1.0
# Included by ctest before it runs anything: asks PALETTE_KEYS_TEST_PROGRAM for its cases and adds a
# test for each.
cmake_policy(VERSION 3.22)

execute_process(
  COMMAND "${PALETTE_KEYS_TEST_PROGRAM}" --list-test-cases --no-colors
  OUTPUT_VARIABLE cases
  RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  add_test(list_of_test_cases "${PALETTE_KEYS_TEST_PROGRAM}" --list-test-cases)
  return()
endif()

if(PALETTE_KEYS_CASES_IN_PROCESS GREATER 1)
  get_filename_component(program "${PALETTE_KEYS_TEST_PROGRAM}" NAME)
  string(REGEX MATCHALL "\n" cases "${cases}")
  list(LENGTH cases count) # of lines, some of which are doctest's own: the last process may find nothing to do
  foreach(first RANGE 1 ${count} ${PALETTE_KEYS_CASES_IN_PROCESS})
    math(EXPR last "${first} + ${PALETTE_KEYS_CASES_IN_PROCESS} - 1")
    set(name "${program}: cases ${first} to ${last}")
    add_test("${name}" "${PALETTE_KEYS_TEST_PROGRAM}" --no-colors --first=${first} --last=${last})
    set_tests_properties("${name}" PROPERTIES TIMEOUT 900 ${PALETTE_KEYS_TEST_PROPERTIES})
  endforeach()
  return()
endif()

# These four mean something in a CMake list, so they travel as characters that no name holds.
string(ASCII 1 semicolon)
string(ASCII 2 open)
string(ASCII 3 close)
string(ASCII 4 backslash)
string(REPLACE ";" "${semicolon}" cases "${cases}")
string(REPLACE "[" "${open}" cases "${cases}")
string(REPLACE "]" "${close}" cases "${cases}")
string(REPLACE "\\" "${backslash}" cases "${cases}")
string(REPLACE "\n" ";" cases "${cases}")

set(seen)
foreach(case IN LISTS cases)
  # What doctest says about itself, and its ruler.
  if(case STREQUAL "" OR case MATCHES "^${open}doctest${close}|^=====+$")
    continue()
  endif()
  if(case IN_LIST seen)
    message(FATAL_ERROR "two test cases are named '${case}'")
  endif()
  list(APPEND seen "${case}")

  string(REPLACE "${semicolon}" ";" name "${case}")
  string(REPLACE "${open}" "[" name "${name}")
  string(REPLACE "${close}" "]" name "${name}")
  string(REPLACE "${backslash}" "\\" name "${name}")

  # A comma ends a name in a filter, and versions of doctest differ in how it is escaped.
  string(REGEX REPLACE "[,\\\"]" "?" filter "${name}")
  add_test("${name}" "${PALETTE_KEYS_TEST_PROGRAM}" --no-colors --case-sensitive "--test-case=${filter}")
  set_tests_properties("${name}" PROPERTIES FAIL_REGULAR_EXPRESSION "test cases: +0 " TIMEOUT 600
                                              ${PALETTE_KEYS_TEST_PROPERTIES})
endforeach()
