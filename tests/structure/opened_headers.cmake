# SPDX-License-Identifier: BSL-1.0
# cmake -D COMPILER=... -D INCLUDE_DIRECTORIES=... -D DEFINITIONS=... -D UNIT=... -D OPENS=... -D NEVER=...
#       -P opened_headers.cmake
#
# What a program pays that includes some of ours: asks the compiler what it opens for UNIT, which is OPENS, and is
# nothing that the pattern NEVER matches.
cmake_minimum_required(VERSION 3.22)

list(REMOVE_ITEM INCLUDE_DIRECTORIES "")
list(TRANSFORM INCLUDE_DIRECTORIES PREPEND -I)
list(TRANSFORM DEFINITIONS PREPEND -D)
execute_process(
  COMMAND "${COMPILER}" -std=c++20 ${INCLUDE_DIRECTORIES} ${DEFINITIONS} -M "${CMAKE_CURRENT_LIST_DIR}/${UNIT}"
  OUTPUT_VARIABLE opened
  RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the compiler failed")
endif()

# A make rule: paths between spaces and line continuations.
string(REGEX MATCHALL "[^ \\\n]+" opened "${opened}")
set(expected ${opened})
list(FILTER expected INCLUDE REGEX "/${OPENS}$")
if(NOT expected)
  message(FATAL_ERROR "the compiler does not say that it opens ${OPENS}")
endif()

list(LENGTH opened count)
list(FILTER opened INCLUDE REGEX "${NEVER}")
if(opened)
  list(JOIN opened "\n  " opened)
  message(FATAL_ERROR "opened for ${UNIT}:\n  ${opened}")
endif()
message(STATUS "${count} headers opened for ${UNIT}, none of ${NEVER}")
