#include "app/commands/command.hpp"

#include <set>

namespace parley::app {
namespace {

const Argument kUser{"NAME", "Username, e-mail address or id"};
const std::vector<std::string> kRoles{"user", "moderator", "admin"};
const Option kPasswordStdin{"--password-stdin", "",
                            "Read the password from the first line of standard input"};
const Option kGenerate{"--generate", "", "Make a password and print it"};
const Option kProgress{"--progress", "", "Tell how far it is also where there is no terminal"};

std::vector<Command> server_commands() {
    return {
        {"serve",
         "runs the server (the default command)",
         "Serves REST, WebSocket and the web client until SIGTERM or Ctrl-C.",
         {},
         {},
         Takes::settings,
         {"parley serve --listen 127.0.0.1:8080 --data /var/lib/parley"},
         run_serve},
        {"config",
         "prints the settings in force",
         "Defaults, then the file, then PARLEY_* variables, then flags. What is printed can be the "
         "file.",
         {},
         {},
         Takes::settings,
         {"parley config --config /etc/parley/parley.toml"},
         run_config},
        {"version",
         "prints the version",
         "",
         {},
         {},
         Takes::nothing,
         {"parley version"},
         run_version},
        {"doctor",
         "looks for what is wrong and says what to do",
         "Looks at files and permissions, disk, limits, clock, certificate and port, and at the "
         "invariants of the store. It changes nothing and may run beside the server. Exit status "
         "1: something is wrong.",
         {},
         {{"--full", "", "Check each page of the database too (reads all of it)"}, kProgress},
         Takes::settings,
         {"parley doctor --config /etc/parley/parley.toml --full"},
         run_doctor},
        {"completions",
         "prints the completions for a shell",
         "",
         {{"SHELL", "bash, zsh or fish", {"bash", "zsh", "fish"}}},
         {},
         Takes::nothing,
         {"parley completions bash > /etc/bash_completion.d/parley"},
         run_completions},
    };
}

Command reshard_command() {
    return {
        "reshard",
        "moves partitions between the shards of a running cluster",
        "Without --move it evens them out over the shards of shard-dbs; `parley migrate` and new "
        "settings for all processes come before. Each partition is copied while it is written to, "
        "compared by count and hash, and stands still for a moment. Run it again after anything "
        "went wrong: it goes on. Exit status 1: a move has failed and the message says where it "
        "stands.",
        {},
        {{"--move", "PARTITION:SHARD", "This one alone; several with , between"},
         {"--dry-run", "", "Only tell what would be moved"},
         kProgress},
        Takes::settings,
        {"parley reshard --config /etc/parley/cluster.toml --dry-run",
         "parley reshard --config /etc/parley/cluster.toml --move 3:2,7:2"},
        run_reshard};
}

// Each is one process of a cluster, any number of each.
std::vector<Command> cluster_commands() {
    const std::string example = " --listen 127.0.0.1:8101 --config /etc/parley/cluster.toml";
    return {
        {"chat",
         "runs a node of a cluster that serves sockets",
         "Needs directory-db, shard-dbs, kafka-brokers and redis, and `parley migrate` before the "
         "first start. Ends with SIGTERM, after its clients were told to come back.",
         {},
         {},
         Takes::settings,
         {"parley chat" + example},
         run_chat},
        {"user",
         "runs a node of a cluster that serves REST",
         "Needs the same settings as `parley chat`.",
         {},
         {},
         Takes::settings,
         {"parley user" + example},
         run_user},
        {"media",
         "runs a node of a cluster that serves the calls for files, and removes them",
         "Needs the same settings as `parley chat`, and s3-endpoint. Of several one removes what "
         "no "
         "message carries any more; when it dies another one does.",
         {},
         {},
         Takes::settings,
         {"parley media" + example},
         run_media},
        {"ingest",
         "runs a worker of a cluster: sequences the log and stores it",
         "Several share the partitions of the log; when one dies the others take over where the "
         "store is. Serves /healthz, /readyz and /metrics.",
         {},
         {},
         Takes::settings,
         {"parley ingest" + example},
         run_ingest},
        {"heartbeat",
         "runs a worker of a cluster: takes users of dead nodes offline",
         "Serves /healthz, /readyz and /metrics.",
         {},
         {},
         Takes::settings,
         {"parley heartbeat" + example},
         run_heartbeat},
        {"migrate",
         "makes or updates the databases and topics of a cluster",
         "Safe to run at any time and by several at once; changes nothing that is up to date.",
         {},
         {},
         Takes::settings,
         {"parley migrate --config /etc/parley/cluster.toml"},
         run_migrate},
        reshard_command(),
    };
}

std::vector<Command> user_commands() {
    return {
        {"user add",
         "makes an account",
         "The password is asked for without echo unless one of the options says otherwise.",
         {{"NAME", "Username"}},
         {{"--email", "ADDRESS", "E-mail address (required)"},
          {"--role", "ROLE", "user, moderator or admin of the server", kRoles},
          kPasswordStdin,
          kGenerate},
         Takes::folder,
         {"parley user add ann --email ann@example.org --generate"},
         run_user_add},
        {"user list",
         "lists accounts",
         "",
         {},
         {{"--disabled", "", "Only those that are disabled"}},
         Takes::folder,
         {"parley user list --json"},
         run_user_list},
        {"user disable",
         "shuts a user out",
         "Ends all sessions in the same transaction; a running server closes the user's sockets "
         "within two seconds.",
         {kUser},
         {},
         Takes::folder,
         {"parley user disable mallory"},
         run_user_disable},
        {"user enable",
         "lets a disabled user in again",
         "",
         {kUser},
         {},
         Takes::folder,
         {"parley user enable mallory"},
         run_user_enable},
        {"user role",
         "says what a user may do on the whole server",
         "moderator: decides held messages of every room; admin: changes accounts too. One admin "
         "always remains.",
         {kUser, {"ROLE", "user, moderator or admin", kRoles}},
         {},
         Takes::folder,
         {"parley user role ann admin"},
         run_user_role},
        {"user erase",
         "removes a user's name, profile and contents for ever",
         "The server does it, at once or when it runs next, and leaves a receipt; messages stay in "
         "their rooms as deleted ones. Asks for the username unless --yes is given. For one who is "
         "erased already (by id) it shows the receipt.",
         {kUser},
         {{"--yes", "", "Do not ask"},
          {"--wait", "SECONDS", "How long to wait for the running server (60)"}},
         Takes::folder,
         {"parley user erase mallory"},
         run_user_erase},
        {"user reset-password",
         "gives a user a new password",
         "Ends all sessions in the same transaction.",
         {kUser},
         {kPasswordStdin, kGenerate},
         Takes::folder,
         {"parley user reset-password ann --generate"},
         run_user_reset_password},
    };
}

std::vector<Command> data_commands() {
    return {
        {"backup",
         "copies the data folder, also of a running server",
         "The copy is one moment of the store, checked, with a manifest; FOLDER must not exist "
         "and appears only when it is complete.",
         {{"FOLDER", "Folder to make"}},
         {kProgress},
         Takes::folder,
         {"parley backup /srv/backups/parley-2026-01-31"},
         run_backup},
        {"restore",
         "fills an empty data folder from a backup",
         "Checks the manifest, each file's hash and the store before anything is put in place. "
         "Refuses a data folder that has data or is in use.",
         {{"FOLDER", "Folder of the backup"}},
         {kProgress},
         Takes::folder,
         {"parley restore /srv/backups/parley-2026-01-31 --data /var/lib/parley"},
         run_restore},
        {"export",
         "writes the server, a room or a person's data as lines of JSON",
         "One moment of the store, also of a running server; with the settings of a cluster, of "
         "the cluster. Import takes files of a server or a room; a person's file is for that "
         "person.",
         {},
         {{"--output", "FILE", "Where to write; without it, standard output"},
          {"--room", "ID", "Only this room"},
          {"--user", "NAME", "Only what concerns this user (username, e-mail address or id)"},
          {"--without-credentials", "",
           "Leave out password hashes (always so with --room, --user)"},
          kProgress},
         Takes::folder,
         {"parley export --output parley.ndjson", "parley export --user ann --output ann.ndjson"},
         run_export},
        {"import",
         "reads what export wrote",
         "A server's file goes into an empty data folder, a room's also into one with data that "
         "has not this room. All or nothing: a bad line is named and nothing is changed. No "
         "server may run on the folder. With the settings of a cluster, a server's file goes into "
         "an empty cluster whose roles are stopped.",
         {{"FILE", "File to read; - for standard input"}},
         {kProgress},
         Takes::folder,
         {"parley import parley.ndjson --data /var/lib/parley"},
         run_import},
    };
}

std::vector<Command> make_table() {
    std::vector<Command> table = server_commands();
    for (auto& part : {cluster_commands(), user_commands(), data_commands()})
        table.insert(table.end(), part.begin(), part.end());
    return table;
}

} // namespace

std::span<const Command> commands() {
    static const std::vector<Command> table = make_table();
    return table;
}

std::string_view group_summary(std::string_view word) {
    return word == "user" ? "accounts, also while the server runs; alone, with the settings of a "
                            "cluster, its node for REST"
                          : "";
}

std::vector<Option> common_options(const Command& command) {
    std::vector<Option> options;
    static const std::set<std::string> quiet{"serve",  "chat",      "user",       "media",
                                             "ingest", "heartbeat", "completions"};
    if (!quiet.contains(command.name))
        options.push_back({"--json", "", "Print one JSON document for machines"});
    options.push_back({"--help", "", "Print this"});
    return options;
}

} // namespace parley::app
