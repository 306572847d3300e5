# SPDX-License-Identifier: BSL-1.0
include(CMakePackageConfigHelpers)

set(palette_keys_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/palette-keys")

# What is installed as shared libraries finds its siblings from where it lies itself, so that the tree can be
# moved. Who sets CMAKE_INSTALL_RPATH, or CMAKE_SKIP_INSTALL_RPATH, decides otherwise.
if(BUILD_SHARED_LIBS AND NOT DEFINED CMAKE_INSTALL_RPATH)
  set_target_properties(palette_keys_emulator PROPERTIES INSTALL_RPATH "$ORIGIN")
  if(PALETTE_KEYS_BUILD_PROGRAMS)
    file(RELATIVE_PATH palette_keys_bin_to_lib "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}")
    set_target_properties(palette_emulator PROPERTIES INSTALL_RPATH "$ORIGIN/${palette_keys_bin_to_lib}")
  endif()
endif()

install(DIRECTORY include/palette TYPE INCLUDE)
install(FILES LICENSE README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md TYPE DOC)
install(DIRECTORY docs TYPE DOC FILES_MATCHING PATTERN "*.md" PATTERN "*.schema.json")
# To which the documents lead, and programs for command_sink(): to be copied and changed.
install(DIRECTORY examples TYPE DOC USE_SOURCE_PERMISSIONS)
install(TARGETS palette_keys palette_keys_header_only palette_keys_emulator EXPORT palette-keys-targets)
if(PALETTE_KEYS_BUILD_PROGRAMS)
  install(TARGETS palette_emulator)
endif()
install(EXPORT palette-keys-targets NAMESPACE palette:: DESTINATION "${palette_keys_package_dir}")

configure_package_config_file(
  cmake/palette-keys-config.cmake.in palette-keys-config.cmake
  INSTALL_DESTINATION "${palette_keys_package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(palette-keys-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/palette-keys-config.cmake"
              "${PROJECT_BINARY_DIR}/palette-keys-config-version.cmake"
        DESTINATION "${palette_keys_package_dir}")

# The prefix is told from where the file lies, so that an installed tree can be moved.
set(palette_keys_pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH palette_keys_pc_to_prefix "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig"
     "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" palette_keys_pc_to_prefix "${palette_keys_pc_to_prefix}")
file(RELATIVE_PATH palette_keys_pc_libdir "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_LIBDIR}")
file(RELATIVE_PATH palette_keys_pc_includedir "${CMAKE_INSTALL_PREFIX}"
     "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
if(BUILD_SHARED_LIBS)
  set(palette_keys_pc_private ".private")
  set(palette_keys_pc_shared " -DPALETTE_KEYS_SHARED")
endif()
foreach(package IN ITEMS palette-keys palette-keys-emulator)
  configure_file("cmake/${package}.pc.in" "${package}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${package}.pc" DESTINATION "${palette_keys_pc_dir}")
endforeach()
