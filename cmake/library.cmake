# SPDX-License-Identifier: BSL-1.0
# How the forms of the library are made.

function(palette_keys_use_headers target scope)
  target_compile_features(${target} ${scope} cxx_std_20)
  target_include_directories(
    ${target} ${scope} "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_libraries(${target} ${scope} Boost::headers Threads::Threads)
endfunction()

# palette_keys_add_library(<target> [STATIC] <source>...): a compiled library, static or shared as
# BUILD_SHARED_LIBS says, or STATIC in any case.
function(palette_keys_add_library target)
  add_library(${target} ${ARGN})
  palette_keys_use_headers(${target} PUBLIC)
  palette_keys_own_code(${target})
  target_link_libraries(${target} PRIVATE Boost::json OpenSSL::SSL OpenSSL::Crypto)
  target_compile_definitions(${target} PUBLIC PALETTE_KEYS_SEPARATE_COMPILATION)
  set_target_properties(
    ${target}
    PROPERTIES CXX_EXTENSIONS OFF
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
               VERSION ${PROJECT_VERSION}
               SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

  get_target_property(type ${target} TYPE)
  if(type STREQUAL "SHARED_LIBRARY")
    target_compile_definitions(${target} PUBLIC PALETTE_KEYS_SHARED)
    if(UNIX AND NOT APPLE)
      set(map "${PROJECT_SOURCE_DIR}/cmake/exports.map")
      target_link_options(${target} PRIVATE "LINKER:--version-script=${map}")
      set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${map}")
    endif()
  endif()
endfunction()

function(palette_keys_add_header_only_library target)
  add_library(${target} INTERFACE)
  palette_keys_use_headers(${target} INTERFACE)
  target_link_libraries(${target} INTERFACE Boost::json OpenSSL::SSL OpenSSL::Crypto)
endfunction()
