#include "adapters/sqlite/offline.hpp"
#include "adapters/sqlite/transfer.hpp"

#include <algorithm>
#include <list>

namespace parley::sqlite {
namespace {

Field field_of(const Query& query, int at, const Column& column) {
    if (query.is_null(at)) return {};
    switch (column.form) {
    case Form::id:
        return std::to_string(query.integer(at));
    case Form::number:
        return query.integer(at);
    case Form::time:
        return model::to_rfc3339(query.time(at));
    case Form::text:
        return query.string(at);
    case Form::truth:
        return query.integer(at) != 0;
    case Form::choice:
        for (const Choice& choice : column.choices)
            if (choice.value == query.integer(at)) return std::string(choice.word);
        return query.integer(at);
    }
    PARLEY_ASSERT(!"a Form outside its enum");
}

bool is_written(const Column& column, const ExportSettings& settings) {
    if (column.travels == Travels::always) return true;
    return settings.scope == Scope::server &&
           (column.travels != Travels::with_credentials || settings.credentials);
}

std::string selection(const CarriedTable& table, const ExportSettings& settings) {
    std::string columns;
    for (const Column& column : table.columns)
        if (is_written(column, settings))
            columns += (columns.empty() ? "" : ", ") + std::string(column.name);
    return "SELECT " + columns + " FROM " + table.table + " WHERE " +
           table.condition(settings.scope) + " ORDER BY " + table.order;
}

void export_table(Database& database, const CarriedTable& table, const ExportSettings& settings,
                  const char* sql, const std::function<void(const Record&)>& sink) {
    Record record{table.kind, {}};
    for (const Column& column : table.columns)
        if (is_written(column, settings)) record.fields.emplace_back(column.name, Field{});
    auto query = database.query(sql);
    if (settings.scope != Scope::server) query.bind(settings.subject);
    while (query.row()) {
        int at = 0;
        for (const Column& column : table.columns)
            if (is_written(column, settings)) {
                record.fields[static_cast<std::size_t>(at)].second = field_of(query, at, column);
                ++at;
            }
        sink(record);
    }
}

} // namespace

Exporter::Exporter(const std::filesystem::path& data_directory)
    : x_database(open_to_read(data_directory)) {
    // One moment, until the connection closes.
    x_database->execute("BEGIN");
}

std::int64_t Exporter::last_event_id() {
    return x_database->pragma("SELECT value FROM meta WHERE key = 'last_event_id'");
}

Result<void> Exporter::check(const ExportSettings& settings) {
    if (settings.scope == Scope::server) return {};
    const bool room = settings.scope == Scope::room;
    auto query = x_database->query(room ? "SELECT 1 FROM rooms WHERE id = ?"
                                        : "SELECT 1 FROM users WHERE id = ?");
    query.bind(settings.subject);
    if (query.row()) return {};
    return room ? Error(Errc::unknown_room, "there is no such room")
                : Error(Errc::unknown_user, "there is no such user");
}

void Exporter::run(const ExportSettings& settings, const std::function<void(const Record&)>& sink) {
    std::list<std::string> statements; // the connection knows them by their address
    try {
        for (const CarriedTable& table : carried_tables())
            if (table.condition(settings.scope))
                export_table(*x_database, table, settings,
                             statements.emplace_back(selection(table, settings)).c_str(), sink);
        // With its statements, whose texts end here.
        x_database.reset();
    } catch (const DatabaseError& error) {
        throw std::runtime_error(std::string("the store could not be read: ") + error.what());
    }
}

} // namespace parley::sqlite
