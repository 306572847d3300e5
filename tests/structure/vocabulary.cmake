# SPDX-License-Identifier: BSL-1.0
# cmake -D TREE=<folder that holds include/palette/ and README.md> -P vocabulary.cmake
#
# Fails when a public header or README uses a word that was replaced: see the table of renames in CHANGELOG.md.
cmake_minimum_required(VERSION 3.22)

# instead(<regular expression> <what to say>)
set(patterns)
set(words)
macro(instead pattern word)
  list(APPEND patterns "(^|[^A-Za-z0-9_])${pattern}")
  list(APPEND words "${word}")
endmacro()

instead("most_[a-z_]+" "max_...")
instead("least_[a-z_]+" "min_...")
instead("first_wait" "initial_backoff")
instead("retry[.]settle([^_]|$)" "settle_time")
instead("silence" "read, or the time in which no byte arrives")
instead("struck" "injected")
instead("(creates?_again|again_when)" "retry_when_unseen")
instead("(verifies|allows_own_key|allows_shorter|allows_past_expiry|allows_symlink|uses_refresh)[(]"
        "the name of the setter")
instead("(begun|is_any)[(]" "started_at, covers_all_attempts")
instead("Phase::answer" "Phase::response")
instead("\"Again\"" "retried")
instead("(an|each|every|the) again([^a-z]|$)" "a retry")
# A cell of a table that says no more than that: "| again |", "looks at the key, then again |".
instead("again *[|]" "retried")

file(GLOB_RECURSE files RELATIVE "${TREE}" "${TREE}/include/palette/*.hpp")
list(FILTER files EXCLUDE REGEX "^include/palette/impl/")
if(NOT files)
  message(FATAL_ERROR "no public header below ${TREE}")
endif()
list(APPEND files README.md)

set(offences)
foreach(file IN LISTS files)
  file(READ "${TREE}/${file}" text)
  string(REGEX REPLACE "[][;\\]" " " text "${text}")  # which lists mind
  string(REPLACE "\n" ";" lines "${text}")
  foreach(pattern word IN ZIP_LISTS patterns words)
    if(NOT text MATCHES "${pattern}")
      continue()
    endif()
    set(number 0)
    foreach(line IN LISTS lines)
      math(EXPR number "${number} + 1")
      if(line MATCHES "${pattern}")
        string(REGEX REPLACE "^[^A-Za-z0-9_\"]|[ (,]+$" "" found "${CMAKE_MATCH_0}")
        list(APPEND offences "${file}:${number}: '${found}': say '${word}'")
      endif()
    endforeach()
  endforeach()
endforeach()

if(offences)
  list(JOIN offences "\n" offences)
  message("${offences}")
  message(FATAL_ERROR "words that were replaced")
endif()
list(LENGTH files count)
message(STATUS "${count} files use none of the words that were replaced")
