# The package of symbolon-eid: the one program that runs on computers of people who run nothing else of this project.
# `cpack -G DEB` in the build folder makes it. What it depends on is computed from the program (dpkg-shlibdeps).

set(SYMBOLON_MAINTAINER "Symbolon maintainers <maintainers@symbolon.example>" CACHE STRING "who answers for the package: Name <mail>")

# Policy §12: compressed as far as it goes, and the same bytes from the same source.
set(eid_package_folder ${CMAKE_BINARY_DIR}/packaging/eid)
file(MAKE_DIRECTORY ${eid_package_folder})
foreach(pair changelog:changelog.gz symbolon-eid.1:symbolon-eid.1.gz)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 from)
    list(GET pair 1 to)
    add_custom_command(OUTPUT ${eid_package_folder}/${to} DEPENDS ${CMAKE_SOURCE_DIR}/packaging/eid/${from} VERBATIM
        COMMAND sh -c "gzip -9nc \"$0\" > \"$1\"" ${CMAKE_SOURCE_DIR}/packaging/eid/${from} ${eid_package_folder}/${to})
    list(APPEND eid_package_files ${eid_package_folder}/${to})
endforeach()
add_custom_target(eid_package_files ALL DEPENDS ${eid_package_files})
# What must be built before cpack, and no more than that.
add_custom_target(eid_package_ready DEPENDS symbolon-eid eid_package_files)

set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME eid)
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(TARGETS symbolon-eid RUNTIME DESTINATION bin COMPONENT eid)
install(FILES packaging/eid/symbolon-eid.desktop DESTINATION share/applications COMPONENT eid)
install(FILES packaging/eid/symbolon-eid.svg DESTINATION share/icons/hicolor/scalable/apps COMPONENT eid)
install(FILES ${eid_package_folder}/symbolon-eid.1.gz DESTINATION share/man/man1 COMPONENT eid)
install(FILES packaging/eid/copyright ${eid_package_folder}/changelog.gz DESTINATION share/doc/symbolon-eid COMPONENT eid)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME symbolon-eid)
set(CPACK_PACKAGE_VENDOR Symbolon)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT ${SYMBOLON_MAINTAINER})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
set(CPACK_COMPONENTS_ALL eid)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_EID_PACKAGE_NAME symbolon-eid)
set(CPACK_DEBIAN_EID_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_EID_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_EID_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_EID_PACKAGE_DEPENDS librsvg2-common) # GDK loads it by itself, to draw the symbols
set(CPACK_DEBIAN_EID_PACKAGE_RECOMMENDS pcscd)
set(CPACK_DEBIAN_EID_DESCRIPTION "reads and signs with the Belgian identity card for Symbolon
Opens the symbolon-eid: link that a Symbolon enrolment page shows, asks
for consent, reads the identity card in the reader beside this computer and
signs the contract with it. The PIN never leaves this computer.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
