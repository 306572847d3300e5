# SPDX-License-Identifier: BSL-1.0
# cmake -D COMPILER=... -D INCLUDE_DIRECTORIES=... -D DEFINITIONS=... -P opened_headers.cmake
#
# The values cost no Asio, Beast or Boost.JSON: asks the compiler what it opens for values_only.cpp.
cmake_minimum_required(VERSION 3.22)

list(REMOVE_ITEM INCLUDE_DIRECTORIES "")
list(TRANSFORM INCLUDE_DIRECTORIES PREPEND -I)
list(TRANSFORM DEFINITIONS PREPEND -D)
execute_process(
  COMMAND "${COMPILER}" -std=c++20 ${INCLUDE_DIRECTORIES} ${DEFINITIONS} -M
          "${CMAKE_CURRENT_LIST_DIR}/values_only.cpp"
  OUTPUT_VARIABLE opened
  RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the compiler failed")
endif()

# A make rule: paths between spaces and line continuations.
string(REGEX MATCHALL "[^ \\\n]+" opened "${opened}")
if(NOT opened MATCHES "/palette/api_key\\.hpp")
  message(FATAL_ERROR "the compiler did not say what it opens")
endif()

list(LENGTH opened count)
list(FILTER opened INCLUDE REGEX "boost/(asio|beast|json)[/.]")
if(opened)
  list(JOIN opened "\n  " opened)
  message(FATAL_ERROR "opened for the values alone:\n  ${opened}")
endif()
message(STATUS "${count} headers opened, none of Asio, Beast or Boost.JSON")
