# Puts the text of migrations/NNNN_what.sql, sorted by number, into one generated .cpp of nemo_store.
file(GLOB migration_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/migrations/*.sql)
list(SORT migration_files)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${migration_files})

set(migration_rows "")
set(migration_numbers "")
foreach(file ${migration_files})
  get_filename_component(stem ${file} NAME_WE)
  if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
    message(FATAL_ERROR "${file}: the name of a migration is NNNN_what.sql")
  endif()
  set(digits ${CMAKE_MATCH_1})
  if(digits IN_LIST migration_numbers)
    message(FATAL_ERROR "${file}: there are two migrations with the number ${digits}")
  endif()
  list(APPEND migration_numbers ${digits})
  math(EXPR number "1${digits} - 10000")  # leading zeros must not make it octal
  file(READ ${file} sql)
  string(APPEND migration_rows "    {${number}, \"${stem}\", R\"sql(${sql})sql\"},\n")
endforeach()

file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/migrations.cpp CONTENT
"// Generated from daemon/store/migrations/*.sql.
#include \"daemon/store/sqlite/migrations.h\"

namespace nemo::store {
namespace {

constexpr Migration k_migrations[] = {
${migration_rows}};

}  // namespace

std::span<const Migration> all_migrations() {
  return k_migrations;
}

}  // namespace nemo::store
")
target_sources(nemo_store PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/migrations.cpp)
