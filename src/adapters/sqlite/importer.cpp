#include "adapters/sqlite/migrations.hpp"
#include "adapters/sqlite/offline.hpp"
#include "adapters/sqlite/transfer.hpp"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <map>
#include <unistd.h>

namespace parley::sqlite {
namespace {

constexpr const char* kStaged = ".import.db";

[[noreturn]] void bad(const std::string& what) { throw std::runtime_error(what); }

std::int64_t integer_of(const std::string& text, const std::string& name) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        bad("\"" + name + "\" is not a whole number");
    return value;
}

// Only what to_rfc3339() writes.
std::int64_t time_of(const std::string& text, const std::string& name) {
    const auto part = [&](std::size_t from, std::size_t size) {
        return integer_of(text.size() >= from + size ? text.substr(from, size) : "", name);
    };
    const std::int64_t year = part(0, 4), month = part(5, 2), day = part(8, 2);
    const std::int64_t m = (month + 9) % 12, y = month <= 2 ? year - 1 : year;
    // Days since 1970-01-01 of a day of the Gregorian calendar, years that begin in March.
    const std::int64_t days =
        y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + (day - 1) - 719'468;
    const model::Time time{((days * 24 + part(11, 2)) * 60 + part(14, 2)) * 60'000 +
                           part(17, 2) * 1000 + part(20, 3)};
    if (model::to_rfc3339(time) != text) bad("\"" + name + "\" is not a time");
    return time.ms;
}

using Value = std::variant<std::monostate, std::int64_t, std::string_view>;

Value text_value(const Column& column, const std::string& text) {
    switch (column.form) {
    case Form::id:
        return integer_of(text, column.name);
    case Form::time:
        return time_of(text, column.name);
    case Form::text:
        return std::string_view(text);
    case Form::choice:
        for (const Choice& choice : column.choices)
            if (choice.word == text) return choice.value;
        bad("\"" + std::string(column.name) + "\" has a word that is not known");
    case Form::number:
    case Form::truth:
        break;
    }
    bad("\"" + std::string(column.name) + "\" must not be a string");
}

Value value_of(const Column& column, const Field& field) {
    if (const auto* text = std::get_if<std::string>(&field)) return text_value(column, *text);
    if (const auto* number = std::get_if<std::int64_t>(&field)) {
        if (column.form == Form::number || column.form == Form::choice) return *number;
    } else if (const auto* truth = std::get_if<bool>(&field)) {
        if (column.form == Form::truth) return std::int64_t{*truth};
    } else {
        return {};
    }
    bad("\"" + std::string(column.name) + "\" is of the wrong kind");
}

const Field* find(const Record& record, std::string_view name) {
    for (const auto& [key, field] : record.fields)
        if (key == name) return &field;
    return nullptr;
}

std::string insertion(const CarriedTable& table) {
    std::string columns, places;
    for (const Column& column : table.columns) {
        columns += (columns.empty() ? "" : ", ") + std::string(column.name);
        places += places.empty() ? "?" : ", ?";
    }
    return "INSERT INTO " + std::string(table.table) + " (" + columns + ") VALUES (" + places + ")";
}

const std::string& statement_for(const CarriedTable& table) {
    static std::map<std::string_view, std::string> statements;
    std::string& sql = statements[table.table];
    if (sql.empty()) sql = insertion(table);
    return sql;
}

void refuse_unknown_fields(const CarriedTable& table, const Record& record) {
    for (const auto& [name, field] : record.fields)
        if (std::none_of(table.columns.begin(), table.columns.end(),
                         [&](const Column& column) { return column.name == name; }))
            bad("there is no field \"" + name + "\" in a line of kind " + record.kind);
}

} // namespace

Importer::Importer(const std::filesystem::path& data_directory, Scope scope)
    : x_directory(data_directory), x_scope(scope), x_lock(data_directory) {
    const auto file = database_file(data_directory);
    if (std::filesystem::exists(file)) {
        if (scope != Scope::room)
            bad(data_directory.string() + " has a database: a server's file goes into an empty "
                                          "data folder");
    } else {
        x_staged = data_directory / kStaged;
        for (const char* end : {"", "-wal", "-shm", "-journal"})
            std::filesystem::remove(x_staged.string() + end);
        const int descriptor = ::open(x_staged.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor >= 0) ::close(descriptor);
    }
    try {
        x_database =
            std::make_unique<Database>(x_staged.empty() ? file : x_staged, Database::Mode::writer);
        migrate(*x_database);
        // Nobody sees the staged file before it is whole and synced: it needs no journal.
        if (!x_staged.empty())
            x_database->execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
        x_database->execute("BEGIN IMMEDIATE");
    } catch (const DatabaseError& error) {
        bad("cannot use " + file.string() + ": " + error.what());
    }
}

Importer::~Importer() {
    if (x_finished) return;
    try {
        if (x_staged.empty() && x_database->in_transaction()) x_database->execute("ROLLBACK");
    } catch (const DatabaseError&) {
        // Closing rolls back as well.
    }
    x_database.reset();
    std::error_code ignored;
    if (!x_staged.empty())
        for (const char* end : {"", "-wal", "-shm", "-journal"})
            std::filesystem::remove(x_staged.string() + end, ignored);
}

bool Importer::is_known_user(const Record& record) {
    const Field *id = find(record, "id"), *key = find(record, "username_key");
    if (!id || !key || !std::holds_alternative<std::string>(*id)) return false;
    auto query = x_database->query("SELECT username_key FROM users WHERE id = ?");
    query.bind(integer_of(std::get<std::string>(*id), "id"));
    if (!query.row()) return false;
    if (Field(query.string(0)) == *key) return true;
    bad("user " + std::get<std::string>(*id) + " is somebody else on this server");
}

void Importer::add(const Record& record) {
    for (const CarriedTable& table : carried_tables()) {
        if (record.kind != table.kind || !table.condition(x_scope)) continue;
        try {
            refuse_unknown_fields(table, record);
            if (x_scope == Scope::room && record.kind == "user" && is_known_user(record)) return;
            insert(table, record);
        } catch (const DatabaseError& error) {
            if (error.error().code == Errc::internal)
                bad("this " + record.kind + " is incomplete, or conflicts with one that is there");
            throw std::runtime_error(error.what());
        }
        return;
    }
    bad("there are no lines of kind \"" + record.kind + "\" here");
}

void Importer::insert(const CarriedTable& table, const Record& record) {
    auto query = x_database->query(statement_for(table).c_str());
    int index = 0;
    for (const Column& column : table.columns) {
        const Field* field = find(record, column.name);
        if (field && column.travels != Travels::always && x_scope != Scope::server)
            bad("\"" + std::string(column.name) + "\" does not come with a room");
        // Whoever comes without a hash cannot sign in until there is a new password.
        const Value value = field ? value_of(column, *field) : column.instead;
        query.bind_at(++index, value);
        const bool is_event_id = std::string_view(column.name) == "id" &&
                                 (record.kind == "message" || record.kind == "event");
        if (const auto* id = std::get_if<std::int64_t>(&value); id && is_event_id)
            x_greatest = std::max(x_greatest, *id);
    }
    query.run();
}

void Importer::finish(std::int64_t last_event_id, const Database::Progress& progress) {
    try {
        const std::int64_t last = std::max(last_event_id, x_greatest);
        x_database->query("UPDATE meta SET value = max(value, ?) WHERE key = 'last_event_id'")
            .bind(last)
            .run();
        const auto breaches =
            inspect(*x_database, {.pages = !x_staged.empty(), .progress = progress});
        if (!breaches.empty())
            bad("what was read breaks a rule of the store (" + breaches.front().rule +
                "): " + breaches.front().detail);
        x_database->execute("COMMIT");
        x_database.reset();
        if (!x_staged.empty()) {
            for (const auto& path : {x_staged, x_directory}) {
                const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
                const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
                if (descriptor >= 0) ::close(descriptor);
                if (!synced) bad(path.string() + " could not be synced");
            }
            give_to_owner_of(x_directory, x_staged);
            std::filesystem::rename(x_staged, database_file(x_directory));
        }
        x_finished = true;
    } catch (const DatabaseError& error) {
        bad(error.what());
    }
}

} // namespace parley::sqlite
