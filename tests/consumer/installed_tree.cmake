# SPDX-License-Identifier: BSL-1.0
# cmake -D PREFIX=... -D BINARY_DIR=... -D VERSION=... -P installed_tree.cmake
#
# A copy of the installed tree, in another place, works as it lies: its program runs without being told where
# libraries are, each library finds its siblings, both bind their functions when they are loaded (SECURITY.md,
# "Memory"), and the license and the documents came along, with all that they lead to.
cmake_minimum_required(VERSION 3.22)

file(REMOVE_RECURSE "${BINARY_DIR}")
file(COPY "${PREFIX}/" DESTINATION "${BINARY_DIR}/moved")
unset(ENV{LD_LIBRARY_PATH})

execute_process(COMMAND "${BINARY_DIR}/moved/bin/palette-emulator" --version OUTPUT_VARIABLE version
                        COMMAND_ERROR_IS_FATAL ANY)
if(NOT version MATCHES "(^| )${VERSION}\n")
  message(FATAL_ERROR "the installed program says that its version is '${version}', not '${VERSION}'")
endif()

file(GLOB_RECURSE libraries "${BINARY_DIR}/moved/*.so")
foreach(library IN LISTS libraries)
  execute_process(COMMAND ldd "${library}" OUTPUT_VARIABLE needed COMMAND_ERROR_IS_FATAL ANY)
  if(needed MATCHES "[^\n]*not found[^\n]*")
    message(FATAL_ERROR "${library}: ${CMAKE_MATCH_0}")
  endif()
  string(REGEX MATCH "libpalette-keys\\.so[^\n]*" sibling "${needed}")
  if(sibling AND NOT sibling MATCHES "=> ${BINARY_DIR}/moved/")
    message(FATAL_ERROR "${library} takes a library of another tree: ${sibling}")
  endif()
endforeach()

find_program(READELF readelf REQUIRED)
foreach(linked IN LISTS libraries ITEMS "${BINARY_DIR}/moved/bin/palette-emulator")
  execute_process(COMMAND "${READELF}" --dynamic --wide "${linked}" OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
  if(NOT dynamic MATCHES "\\(FLAGS\\) +BIND_NOW" AND NOT dynamic MATCHES "\\(FLAGS_1\\) +Flags:[^\n]* NOW")
    message(FATAL_ERROR "${linked} binds functions at their first call")
  endif()
endforeach()

foreach(file IN ITEMS LICENSE README.md CHANGELOG.md SECURITY.md docs/create.md docs/plans.md docs/retries.md
                      docs/reference.md docs/rotation.md examples/sinks/README.md)
  if(NOT EXISTS "${BINARY_DIR}/moved/share/doc/palette-keys/${file}")
    message(FATAL_ERROR "${file} is not installed")
  endif()
endforeach()

string(ASCII 1 fence) # one character for three, so that code may have a backquote in it
file(GLOB_RECURSE pages "${BINARY_DIR}/moved/share/doc/palette-keys/*.md")
foreach(page IN LISTS pages)
  file(READ "${page}" text)
  string(REPLACE "```" "${fence}" text "${text}")
  string(REGEX REPLACE "${fence}[^${fence}]*${fence}|`[^`\n]*`" "" text "${text}")
  string(REPLACE "](" "\n<" text "${text}")
  string(REGEX REPLACE "[][;]" " " text "${text}") # which lists mind
  cmake_path(GET page PARENT_PATH folder)
  string(REGEX MATCHALL "\n<[^)]+" links "${text}")
  foreach(link IN LISTS links)
    string(SUBSTRING "${link}" 2 -1 link)
    string(REGEX REPLACE "#.*" "" link "${link}")
    if(NOT link MATCHES "^(https?:|mailto:|$)" AND NOT EXISTS "${folder}/${link}")
      message(FATAL_ERROR "${page} leads to ${link}, which is not installed")
    endif()
  endforeach()
endforeach()

# A program for command_sink() runs as it lies: it refuses a verb that it does not have.
execute_process(
  COMMAND "${CMAKE_COMMAND}" -E env PALETTE_SINK_VERB=none
          "${BINARY_DIR}/moved/share/doc/palette-keys/examples/sinks/pass" name
  RESULT_VARIABLE status ERROR_VARIABLE said)
if(NOT status EQUAL 64 OR NOT said MATCHES "no such verb: none")
  message(FATAL_ERROR "an installed sink ends with ${status}, and says: ${said}")
endif()
