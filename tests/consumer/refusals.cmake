# SPDX-License-Identifier: BSL-1.0
# cmake -D SOURCE_DIR=... -D COMPILER=... -D BINARY_DIR=... -P refusals.cmake
#
# What cannot work is refused at once, by a sentence that says why: an older standard than C++20 by each public
# header, another system by CMake.
cmake_minimum_required(VERSION 3.22)

file(GLOB_RECURSE headers RELATIVE "${SOURCE_DIR}/include" "${SOURCE_DIR}/include/palette/*.hpp")
list(FILTER headers EXCLUDE REGEX "palette/(impl/|version\\.hpp)")
list(LENGTH headers count)
if(count LESS 20)
  message(FATAL_ERROR "only ${count} headers were found")
endif()
file(MAKE_DIRECTORY "${BINARY_DIR}")
foreach(header IN LISTS headers)
  file(WRITE "${BINARY_DIR}/old.cpp" "#include <${header}>\n")
  execute_process(COMMAND "${COMPILER}" -std=c++17 -fsyntax-only "-I${SOURCE_DIR}/include" -Wfatal-errors
                          "${BINARY_DIR}/old.cpp" RESULT_VARIABLE status ERROR_VARIABLE said)
  if(status EQUAL 0 OR NOT said MATCHES "error: [^\n]*" OR NOT CMAKE_MATCH_0 MATCHES "palette-keys needs C\\+\\+20")
    message(FATAL_ERROR "<${header}> in C++17: the first error is not that it needs C++20:\n${said}")
  endif()
endforeach()

foreach(system IN ITEMS Windows Darwin)
  file(REMOVE_RECURSE "${BINARY_DIR}/${system}")
  execute_process(COMMAND "${CMAKE_COMMAND}" -S "${SOURCE_DIR}" -B "${BINARY_DIR}/${system}" -G Ninja
                          -D CMAKE_SYSTEM_NAME=${system} RESULT_VARIABLE status OUTPUT_VARIABLE said
                  ERROR_VARIABLE said)
  string(REGEX REPLACE "[^\n]" "" lines "${said}")
  string(LENGTH "${lines}" lines)
  if(status EQUAL 0 OR NOT said MATCHES "palette-keys supports Linux only[^\n]*${system}" OR lines GREATER 10)
    message(FATAL_ERROR "for ${system}, CMake says, in ${lines} lines:\n${said}")
  endif()
endforeach()
