# SPDX-License-Identifier: BSL-1.0

# palette_keys_extract_snippets(<page> <variable>): writes every ```cpp block of a Markdown page to a file of
# its own, and names the files in <variable>. A block with a main() is a program, and compiled as it is; any
# other is a fragment: what it includes comes first, the rest into the function of fragment.hpp. The compiler
# speaks of lines of the page.
function(palette_keys_extract_snippets page variable)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${page}")
  get_filename_component(name "${page}" NAME_WE)
  file(READ "${page}" left)
  string(PREPEND left "\n")

  set(units)
  set(opening "\n```cpp\n")
  set(closing "\n```")
  set(line 0)
  string(FIND "${left}" "${opening}" begin)
  while(NOT begin EQUAL -1)
    string(LENGTH "${opening}" skipped)
    math(EXPR begin "${begin} + ${skipped}")
    string(SUBSTRING "${left}" 0 ${begin} before)
    string(SUBSTRING "${left}" ${begin} -1 left)
    string(FIND "${left}" "${closing}" end)
    if(end EQUAL -1)
      message(FATAL_ERROR "${page}: the last block of code has no end")
    endif()
    math(EXPR end "${end} + 1")  # with its last line end
    string(SUBSTRING "${left}" 0 ${end} code)
    string(SUBSTRING "${left}" ${end} -1 left)

    palette_keys_count_lines("${before}" count)
    math(EXPR line "${line} + ${count}")
    list(LENGTH units number)
    math(EXPR number "${number} + 1")
    set(unit "${CMAKE_CURRENT_BINARY_DIR}/${name}_${number}.cpp")
    palette_keys_write_snippet("${unit}" "${page}" ${line} "${code}")
    list(APPEND units "${unit}")

    palette_keys_count_lines("${code}" count)
    math(EXPR line "${line} + ${count}")
    string(FIND "${left}" "${opening}" begin)
  endwhile()
  set(${variable} "${units}" PARENT_SCOPE)
endfunction()

function(palette_keys_count_lines text variable)
  string(REGEX REPLACE "[^\n]+" "" ends "${text}")
  string(LENGTH "${ends}" count)
  set(${variable} ${count} PARENT_SCOPE)
endfunction()

function(palette_keys_write_snippet unit page line code)
  if(NOT code MATCHES "int main\\(")
    set(head "")
    while(code MATCHES "^(#[^\n]*\n|\n)")
      set(first "${CMAKE_MATCH_1}")
      string(APPEND head "${first}")
      string(LENGTH "${first}" length)
      string(SUBSTRING "${code}" ${length} -1 code)
    endwhile()
    palette_keys_count_lines("${head}" count)
    math(EXPR first_line "${line} + ${count}")
    set(code "${head}#include \"fragment.hpp\"\nPALETTE_KEYS_FRAGMENT {\n{\n#line ${first_line} \"${page}\"\n${code}}\nco_return;\n}\n")
  endif()
  # Only what has changed is compiled anew.
  file(WRITE "${unit}.new" "#line ${line} \"${page}\"\n${code}")
  file(COPY_FILE "${unit}.new" "${unit}" ONLY_IF_DIFFERENT)
endfunction()
