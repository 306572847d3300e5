# SPDX-License-Identifier: BSL-1.0
# vocabulary.cmake, run on a sample of old words, must name these and no other.

execute_process(
  COMMAND "${CMAKE_COMMAND}" -D "TREE=${CMAKE_CURRENT_LIST_DIR}/bad_words" -P
          "${CMAKE_CURRENT_LIST_DIR}/vocabulary.cmake"
  ERROR_VARIABLE said
  OUTPUT_QUIET
  RESULT_VARIABLE status)
if(status EQUAL 0)
  message(FATAL_ERROR "the sample of old words passed")
endif()

string(REGEX MATCHALL "[^\n]+: say [^\n]+" said "${said}")
list(JOIN said "\n" said)
file(READ "${CMAKE_CURRENT_LIST_DIR}/bad_words/expected.txt" expected)
string(STRIP "${expected}" expected)
if(NOT said STREQUAL expected)
  message(FATAL_ERROR "expected:\n${expected}\n\nsaid:\n${said}")
endif()
