# SPDX-License-Identifier: BSL-1.0
# rooms.cmake, run on a small tree that breaks every kind of rule, must say so: these lines and no other.

execute_process(
  COMMAND "${CMAKE_COMMAND}" -D "TREE=${CMAKE_CURRENT_LIST_DIR}/bad_tree" -P
          "${CMAKE_CURRENT_LIST_DIR}/rooms.cmake"
  ERROR_VARIABLE said
  OUTPUT_QUIET
  RESULT_VARIABLE status)
if(status EQUAL 0)
  message(FATAL_ERROR "the bad tree passed")
endif()

string(REGEX MATCHALL "palette/[^\n]+: [^\n]+" said "${said}")
list(JOIN said "\n" said)
file(READ "${CMAKE_CURRENT_LIST_DIR}/bad_tree/expected.txt" expected)
string(STRIP "${expected}" expected)
if(NOT said STREQUAL expected)
  message(FATAL_ERROR "expected:\n${expected}\n\nsaid:\n${said}")
endif()
