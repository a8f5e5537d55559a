# Puts packaging's templates of services into one generated .cpp of nemo_cli, so that `nemo` needs no file beside it.
set(systemd_template ${CMAKE_SOURCE_DIR}/packaging/systemd/nemod.service.in)
set(launchd_template ${CMAKE_SOURCE_DIR}/packaging/launchd/ai.nemorouter.nemod.plist.in)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${systemd_template} ${launchd_template})
file(READ ${systemd_template} systemd_text)
file(READ ${launchd_template} launchd_text)

file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/service_templates.cpp CONTENT
"// Generated from packaging/systemd and packaging/launchd.
#include \"cli/service/service_text.h\"

namespace nemo::cli::service {

const std::string_view k_systemd_template = R\"template(${systemd_text})template\";
const std::string_view k_launchd_template = R\"template(${launchd_text})template\";

}  // namespace nemo::cli::service
")
target_sources(nemo_cli PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/service_templates.cpp)
