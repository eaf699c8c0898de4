// Export and import as lines of JSON. The grammar, one object a line, UTF-8, LF:
//
//   file    := header line* end
//   header  :=
//   {"kind":"header","format":"parley-export","version":1,"scope":"server"|"room"|"user",
//               "room_id"|"user_id": that one, "last_event_id": of a server}
//   line    := {"kind": KIND, COLUMN: VALUE, ...}     (kinds and columns: transfer_format.cpp)
//   end     := {"kind":"end","counts":{KIND: NUMBER, ...},"sha256": of every byte before this line}
//
// The same store gives the same bytes: nothing in it tells when or by which program it was made.
#include "adapters/sqlite/transfer.hpp"

#include "adapters/crypto/sha256.hpp"
#include "adapters/sqlite/offline.hpp"
#include "adapters/sqlite/user_admin.hpp"
#include "app/cluster_parts.hpp"
#include "app/commands/cluster_transfer.hpp"
#include "app/commands/command.hpp"
#include "app/commands/files.hpp"
#include "chat/names.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace parley::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using sqlite::Record;
using sqlite::Scope;

constexpr const char* kFormat = "parley-export";
constexpr std::int64_t kFormatVersion = 1;
constexpr std::size_t kLineBytesMax = 1 << 20;

const char* name_of(Scope scope) {
    return scope == Scope::server ? "server" : scope == Scope::room ? "room" : "user";
}

json::object object_of(const Record& record) {
    json::object object{{"kind", record.kind}};
    // A column of a table may be called kind as well; its line then says "what".
    for (const auto& [name, field] : record.fields) {
        const std::string key = name == "kind" ? "what" : name;
        if (const auto* number = std::get_if<std::int64_t>(&field)) object[key] = *number;
        if (const auto* truth = std::get_if<bool>(&field)) object[key] = *truth;
        if (const auto* text = std::get_if<std::string>(&field)) object[key] = *text;
    }
    return object;
}

Record record_of(const json::object& object) {
    Record record;
    for (const auto& [key, value] : object) {
        const std::string name = key == "what" ? "kind" : std::string(key);
        if (key == "kind" && value.is_string())
            record.kind = value.as_string();
        else if (value.is_string())
            record.fields.emplace_back(name, std::string(value.as_string()));
        else if (value.is_int64())
            record.fields.emplace_back(name, value.as_int64());
        else if (value.is_bool())
            record.fields.emplace_back(name, value.as_bool());
        else
            throw std::runtime_error("\"" + std::string(key) + "\" is of the wrong kind");
    }
    return record;
}

// Writes lines, and knows their hash.
class LineWriter {
public:
    explicit LineWriter(int descriptor) : x_descriptor(descriptor) {}

    void put(const json::object& object) {
        x_buffer += json::serialize(object) + "\n";
        if (x_buffer.size() >= 1 << 16) flush();
    }
    std::string hash() {
        flush();
        return x_hash.hex();
    }
    void flush() {
        x_hash.add(x_buffer);
        for (std::string_view rest = x_buffer; !rest.empty();) {
            const ssize_t size = ::write(x_descriptor, rest.data(), rest.size());
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) throw std::runtime_error("the export could not be written");
            rest.remove_prefix(static_cast<std::size_t>(size));
        }
        x_buffer.clear();
    }

private:
    const int x_descriptor;
    std::string x_buffer;
    crypto::Sha256 x_hash;
};

// `data`: of the server itself, or what was gathered from a cluster.
sqlite::ExportSettings settings_of(const Invocation& given, const fs::path& data) {
    sqlite::ExportSettings settings;
    settings.credentials = !given.has("--without-credentials");
    if (given.has("--room") && given.has("--user"))
        throw UsageError("--room and --user exclude each other");
    if (given.has("--json") && !given.has("--output"))
        throw UsageError("--json needs --output: standard output has the export itself");
    if (given.has("--room")) {
        settings.scope = Scope::room;
        const auto room = model::RoomId::parse(given["--room"]);
        if (!room) throw UsageError("--room takes the id of a room");
        settings.subject = room->value;
    }
    if (given.has("--user")) {
        settings.scope = Scope::user;
        sqlite::UserAdmin admin(data, sqlite::UserAdmin::Access::read);
        const auto user = admin.find(chat::name_key(given["--user"]));
        if (!user) throw std::runtime_error("there is no user \"" + given["--user"] + "\"");
        settings.subject = user->id.value;
    }
    return settings;
}

using Counts = std::map<std::string, std::int64_t>;

json::object object_of(const Counts& counts) {
    json::object object;
    for (const auto& [kind, count] : counts) object[kind] = count;
    return object;
}

Counts export_to(int descriptor, const Invocation& given, Console& console) {
    std::optional<TemporaryFolder> gathered;
    if (is_cluster(given.settings))
        gather_cluster(given.settings, gathered.emplace().path(), console);
    const fs::path data = gathered ? gathered->path() : given.settings.data;
    const auto settings = settings_of(given, data);
    sqlite::Exporter exporter(data);
    if (auto known = exporter.check(settings); !known)
        throw std::runtime_error(known.error().detail);
    LineWriter writer(descriptor);
    json::object header{{"kind", "header"},
                        {"format", kFormat},
                        {"version", kFormatVersion},
                        {"scope", name_of(settings.scope)}};
    if (settings.scope == Scope::server)
        header["last_event_id"] = std::to_string(exporter.last_event_id());
    else
        header[std::string(name_of(settings.scope)) + "_id"] = std::to_string(settings.subject);
    writer.put(header);
    Counts counts;
    std::uint64_t lines = 0;
    exporter.run(settings, [&](const Record& record) {
        ++counts[record.kind];
        writer.put(object_of(record));
        console.progress("exported lines", ++lines, 0);
    });
    console.end_progress();
    const std::string hash = writer.hash();
    writer.put({{"kind", "end"}, {"counts", object_of(counts)}, {"sha256", hash}});
    writer.flush();
    return counts;
}

// The file under another name until it is whole.
class OutputFile {
public:
    explicit OutputFile(fs::path target)
        : x_target(std::move(target)),
          x_partial(x_target.string() + ".partial-" + std::to_string(::getpid())),
          x_descriptor(::open(x_partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
        if (x_descriptor < 0) throw std::runtime_error(x_target.string() + " cannot be made");
    }
    ~OutputFile() {
        ::close(x_descriptor);
        ::unlink(x_partial.c_str());
    }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    int descriptor() const { return x_descriptor; }
    void finish() {
        if (::fsync(x_descriptor) != 0)
            throw std::runtime_error(x_target.string() + " cannot be written");
        rename_new(x_partial, x_target);
    }

private:
    const fs::path x_target, x_partial;
    const int x_descriptor;
};

} // namespace

int run_export(const Invocation& given, Console& console) {
    if (!given.has("--output")) {
        export_to(STDOUT_FILENO, given, console);
        return kDone;
    }
    if (fs::exists(given["--output"]))
        throw std::runtime_error(given["--output"] + " exists: an export makes a file of its own");
    OutputFile file(given["--output"]);
    const Counts counts = export_to(file.descriptor(), given, console);
    file.finish();
    console.print("exported to " + given["--output"] + ": " + json::serialize(object_of(counts)));
    console.result({{"file", given["--output"]}, {"counts", object_of(counts)}});
    return kDone;
}

// --- import ------------------------------------------------------------------------------------

namespace {

// Reads lines, and knows the hash of those before the present one.
class LineReader {
public:
    explicit LineReader(std::istream& input) : x_input(input), x_line(kLineBytesMax, '\0') {}

    // Nothing at the end of the input.
    std::optional<std::string_view> next() {
        x_hash.add(x_present);
        x_present = {};
        x_input.getline(x_line.data(), static_cast<std::streamsize>(x_line.size()));
        const auto size = static_cast<std::size_t>(x_input.gcount());
        if (size == 0) return std::nullopt;
        ++x_number;
        if (x_input.eof() || x_input.fail())
            throw std::runtime_error(x_input.eof() ? "the line does not end"
                                                   : "the line is too long");
        x_line[size - 1] = '\n'; // getline() took it
        x_present = std::string_view(x_line.data(), size);
        return x_present.substr(0, size - 1);
    }
    std::string hash() const { return x_hash.hex(); }
    std::uint64_t number() const { return x_number; }

private:
    std::istream& x_input;
    std::string x_line;
    std::string_view x_present;
    std::uint64_t x_number = 0;
    crypto::Sha256 x_hash;
};

json::object parse_line(std::string_view line) {
    boost::system::error_code error;
    json::value value = json::parse(json::string_view(line.data(), line.size()), error);
    if (error || !value.is_object()) throw std::runtime_error("this is not an object of JSON");
    return std::move(value.as_object());
}

std::string text_in(const json::object& object, const char* key) {
    const json::value* value = object.if_contains(key);
    if (!value || !value->is_string())
        throw std::runtime_error("\"" + std::string(key) + "\" is missing");
    return std::string(value->as_string());
}

Scope scope_of(const json::object& header) {
    if (text_in(header, "kind") != "header" || text_in(header, "format") != kFormat)
        throw std::runtime_error("this is not the first line of an export");
    const json::value* version = header.if_contains("version");
    if (!version || *version != kFormatVersion)
        throw std::runtime_error("the format has a version that this program does not know: use "
                                 "the newer program");
    const std::string scope = text_in(header, "scope");
    if (scope == "user")
        throw std::runtime_error("this file is for the person whom it is about; only those of a "
                                 "server or a room can be imported");
    if (scope != "server" && scope != "room") throw std::runtime_error("the scope is not known");
    return scope == "room" ? Scope::room : Scope::server;
}

void check_end(const json::object& end, const Counts& counts, const std::string& hash) {
    if (text_in(end, "sha256") != hash)
        throw std::runtime_error("the lines above are not those that were exported: their hash "
                                 "differs");
    const json::value* told = end.if_contains("counts");
    if (!told || *told != json::value(object_of(counts)))
        throw std::runtime_error("the counts differ from those that were exported");
}

Counts import_lines(LineReader& reader, const fs::path& data, bool only_servers,
                    Console& console) {
    const auto first = reader.next();
    if (!first) throw std::runtime_error("the file is empty");
    const json::object header = parse_line(*first);
    const Scope scope = scope_of(header);
    if (only_servers && scope != Scope::server)
        throw std::runtime_error("only a whole server's file goes into a cluster");
    std::int64_t last_event_id = 0;
    if (scope == Scope::server)
        last_event_id = model::EventId::parse(text_in(header, "last_event_id"))
                            .value_or(model::EventId{})
                            .value;
    sqlite::Importer importer(data, scope);
    Counts counts;
    for (;;) {
        const auto line = reader.next();
        if (!line) throw std::runtime_error("the file ends before its last line");
        const json::object object = parse_line(*line);
        if (text_in(object, "kind") == "end") {
            check_end(object, counts, reader.hash());
            if (reader.next()) throw std::runtime_error("there is more after the last line");
            break;
        }
        const Record record = record_of(object);
        importer.add(record);
        ++counts[record.kind];
        console.progress("imported lines", reader.number(), 0);
    }
    console.end_progress();
    importer.finish(last_event_id, [&](std::uint64_t done, std::uint64_t total) {
        console.progress("checked rooms", done, total);
    });
    return counts;
}

// Checked whole, in a store of one file, before the cluster hears of it.
int import_into_cluster(LineReader& reader, const Invocation& given, Console& console) {
    const TemporaryFolder checked;
    Counts counts;
    try {
        counts = import_lines(reader, checked.path(), true, console);
    } catch (const std::exception& error) {
        throw std::runtime_error(given["FILE"] + ", line " + std::to_string(reader.number()) +
                                 ": " + error.what() + "; nothing was imported");
    }
    fill_cluster(given.settings, checked.path(), console);
    console.print("imported into the cluster: " + json::serialize(object_of(counts)));
    console.result({{"shards", shard_targets(given.settings).size()},
                    {"counts", object_of(counts)}});
    return kDone;
}

} // namespace

int run_import(const Invocation& given, Console& console) {
    const std::string& name = given["FILE"];
    std::ifstream file;
    if (name != "-") {
        file.open(name, std::ios::binary);
        if (!file) throw std::runtime_error(name + " cannot be read");
    }
    LineReader reader(name == "-" ? std::cin : file);
    if (is_cluster(given.settings)) return import_into_cluster(reader, given, console);
    const bool made = !fs::exists(given.settings.data);
    try {
        const Counts counts = import_lines(reader, given.settings.data, false, console);
        console.print("imported into " + given.settings.data.string() + ": " +
                      json::serialize(object_of(counts)));
        console.result({{"data", given.settings.data.string()}, {"counts", object_of(counts)}});
        return kDone;
    } catch (const std::exception& error) {
        std::error_code ignored;
        if (made) fs::remove_all(given.settings.data, ignored);
        throw std::runtime_error(name + ", line " + std::to_string(reader.number()) + ": " +
                                 error.what() + "; nothing was imported");
    }
}

} // namespace parley::app
