#include "adapters/crypto/argon2_hasher.hpp"
#include "adapters/system/system_entropy.hpp"
#include "app/commands/accounts.hpp"
#include "app/commands/command.hpp"
#include "base/base64url.hpp"
#include "chat/names.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstdio>

namespace parley::app {
namespace {

template <class T>
T valid(Result<T> result) {
    if (!result) throw UsageError(result.error().detail);
    return std::move(*result);
}

struct NewPassword {
    std::string text;
    bool generated = false;
};

NewPassword new_password(const Invocation& given, Console& console, ports::Entropy& entropy) {
    NewPassword password;
    if (given.has("--generate") && given.has("--password-stdin"))
        throw UsageError("--generate and --password-stdin exclude each other");
    if (given.has("--generate")) {
        std::array<std::byte, 15> random;
        entropy.fill(random);
        password.text = to_base64url({reinterpret_cast<const char*>(random.data()), random.size()});
        password.generated = true;
    } else if (given.has("--password-stdin")) {
        password.text = console.read_secret_line();
    } else {
        password.text = console.ask_secret("New password: ");
        if (console.ask_secret("The same again: ") != password.text)
            throw std::runtime_error("the two passwords differ");
    }
    if (auto fits = chat::check_password(password.text); !fits)
        throw UsageError(fits.error().detail);
    return password;
}

std::string hash_of(const Settings& settings, ports::Entropy& entropy, std::string password) {
    auto hash = crypto::hash_password(
        {.passes = settings.argon2_iterations, .memory_kib = settings.argon2_memory_kib}, entropy,
        std::move(password));
    if (!hash) throw std::runtime_error(hash.error().detail);
    return *hash;
}

model::User find(Accounts& accounts, const std::string& name) {
    auto user = accounts.find(chat::name_key(name));
    if (!user) throw std::runtime_error("there is no user \"" + name + "\"");
    return *user;
}

// Of a word that the command table has checked.
model::ServerRole role_named(const std::string& word) {
    return model::server_role_named(word).value_or(model::ServerRole::user);
}

boost::json::object document(const model::User& user) {
    return {{"id", user.id.to_string()},
            {"username", user.username},
            {"email", user.email},
            {"display_name", user.display_name},
            {"created_at", model::to_rfc3339(user.created_at)},
            {"role", model::name_of(user.role)},
            {"disabled", user.disabled}};
}

// One text for people and one object for machines about a change of one user.
int done(Console& console, const model::User& user, const std::string& what,
         boost::json::object more = {}) {
    console.print(user.username + " (" + user.id.to_string() + "): " + what);
    boost::json::object result = document(user);
    for (auto& [key, value] : more) result[key] = value;
    console.result(result);
    return kDone;
}

int change(const Invocation& given, Console& console, const ports::StandingChange& change,
           const std::string& what) {
    const auto accounts = open_accounts(given.settings, AccountsFor::changing);
    const auto changed = accounts->change_standing(find(*accounts, given["NAME"]).id, change);
    if (!changed) throw std::runtime_error(changed.error().detail);
    return done(console, *changed, what);
}

} // namespace

int run_user_add(const Invocation& given, Console& console) {
    if (!given.has("--email")) throw UsageError("--email is missing");
    ports::NewUser fresh;
    fresh.username = valid(chat::check_username(given["NAME"]));
    fresh.email = valid(chat::check_email(given["--email"]));
    fresh.username_key = chat::name_key(fresh.username);
    fresh.email_key = chat::name_key(fresh.email);
    system::SystemEntropy entropy;
    const NewPassword password = new_password(given, console, entropy);
    fresh.password_hash = hash_of(given.settings, entropy, password.text);
    const auto accounts = open_accounts(given.settings, AccountsFor::making);
    auto made = accounts->add(fresh);
    if (made && given.has("--role"))
        made = accounts->change_standing(made->id,
                                         {.role = role_named(given["--role"]), .disabled = {}});
    if (!made) throw std::runtime_error(made.error().detail);
    boost::json::object more;
    if (password.generated) more["password"] = password.text;
    done(console, *made, "account made", more);
    if (password.generated) console.print("password: " + password.text);
    return kDone;
}

int run_user_list(const Invocation& given, Console& console) {
    const auto accounts = open_accounts(given.settings, AccountsFor::reading);
    boost::json::array list;
    std::size_t count = 0;
    accounts->for_each([&](const AccountRow& row) {
        if (given.has("--disabled") && !row.user.disabled) return;
        ++count;
        if (console.json()) {
            auto object = document(row.user);
            object["rooms"] = row.rooms;
            object["sessions"] = row.sessions;
            object["last_seen_at"] = row.last_seen_at
                                         ? boost::json::value(model::to_rfc3339(*row.last_seen_at))
                                         : boost::json::value();
            list.push_back(std::move(object));
            return;
        }
        console.print(row.user.id.to_string() + "  " + row.user.username + "  " + row.user.email +
                      "  rooms " + std::to_string(row.rooms) + "  sessions " +
                      std::to_string(row.sessions) +
                      (row.user.role == model::ServerRole::user
                           ? ""
                           : "  " + std::string(model::name_of(row.user.role))) +
                      (row.user.disabled ? "  disabled" : ""));
    });
    console.print(std::to_string(count) + (count == 1 ? " account" : " accounts"));
    console.result(boost::json::object{{"users", std::move(list)}});
    return kDone;
}

int run_user_disable(const Invocation& given, Console& console) {
    return change(given, console, {.role = {}, .disabled = true}, "disabled, all sessions ended");
}

int run_user_enable(const Invocation& given, Console& console) {
    return change(given, console, {.role = {}, .disabled = false}, "enabled");
}

int run_user_role(const Invocation& given, Console& console) {
    return change(given, console, {.role = role_named(given["ROLE"]), .disabled = {}},
                  "has the role " + given["ROLE"]);
}

int run_user_reset_password(const Invocation& given, Console& console) {
    const auto accounts = open_accounts(given.settings, AccountsFor::changing);
    const model::User user = find(*accounts, given["NAME"]);
    system::SystemEntropy entropy;
    const NewPassword password = new_password(given, console, entropy);
    const std::string hash = hash_of(given.settings, entropy, password.text);
    if (auto set = accounts->set_password(user.id, hash); !set)
        throw std::runtime_error(set.error().detail);
    boost::json::object more;
    if (password.generated) more["password"] = password.text;
    done(console, user, "new password set, all sessions ended", more);
    if (password.generated) console.print("password: " + password.text);
    return kDone;
}

} // namespace parley::app
