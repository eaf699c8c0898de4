#include "app/commands/accounts.hpp"
#include "app/commands/command.hpp"
#include "chat/names.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <charconv>
#include <thread>

namespace parley::app {
namespace {

using namespace std::chrono_literals;

std::chrono::seconds patience_of(const Invocation& given) {
    if (!given.has("--wait")) return 60s;
    const std::string& text = given["--wait"];
    unsigned seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || seconds > 86'400)
        throw UsageError("--wait takes a number of seconds");
    return std::chrono::seconds(seconds);
}

boost::json::object document(const ports::Erasure& erasure) {
    return {{"user_id", erasure.user_id.to_string()},
            {"requested_at", model::to_rfc3339(erasure.requested_at)},
            {"done_at", erasure.done_at ? boost::json::value(model::to_rfc3339(*erasure.done_at))
                                        : boost::json::value()},
            {"messages", erasure.messages},
            {"reactions", erasure.reactions},
            {"rooms", erasure.rooms},
            {"sessions", erasure.sessions},
            {"held", erasure.held}};
}

void print(Console& console, const ports::Erasure& erasure) {
    console.print("user " + erasure.user_id.to_string() + ": erased at " +
                  model::to_rfc3339(*erasure.done_at) + ", asked for at " +
                  model::to_rfc3339(erasure.requested_at));
    console.print(std::to_string(erasure.messages) + " messages, " + std::to_string(erasure.held) +
                  " held ones, " + std::to_string(erasure.reactions) + " reactions, " +
                  std::to_string(erasure.rooms) + " rooms left, " +
                  std::to_string(erasure.sessions) + " sessions");
}

void ask(const Invocation& given, Console& console, const model::User& user) {
    if (given.has("--yes")) return;
    const std::string typed = console.ask("This cannot be undone. Type the username to erase " +
                                          user.username + " (" + user.id.to_string() + "): ");
    if (typed != user.username) throw std::runtime_error("that is not the username");
}

} // namespace

int run_user_erase(const Invocation& given, Console& console) {
    const auto patience = patience_of(given);
    const auto accounts = open_accounts(given.settings, AccountsFor::changing);
    const auto user = accounts->find(chat::name_key(given["NAME"]));
    if (!user) throw std::runtime_error("there is no user \"" + given["NAME"] + "\"");
    auto erasure = accounts->erasure(user->id);
    if (!erasure) {
        ask(given, console, *user);
        if (auto asked = accounts->request_erasure(user->id); !asked)
            throw std::runtime_error(asked.error().detail);
        erasure = accounts->erasure(user->id);
    }
    const bool server_runs = accounts->is_served();
    const auto until = std::chrono::steady_clock::now() + patience;
    while (server_runs && erasure && !erasure->done_at &&
           std::chrono::steady_clock::now() < until) {
        console.progress("erased messages", erasure->messages, 0);
        std::this_thread::sleep_for(200ms);
        erasure = accounts->erasure(user->id);
    }
    console.end_progress();
    if (!erasure) throw std::runtime_error("the request is gone: look at the server's log");
    console.result(document(*erasure));
    if (erasure->done_at) {
        print(console, *erasure);
        return kDone;
    }
    console.print("asked for; " +
                  std::string(server_runs ? "the server has not ended it yet"
                                          : "no server runs here: it is done when it does") +
                  ". For the receipt run this again with the id " + user->id.to_string());
    return server_runs ? kFailed : kDone;
}

} // namespace parley::app
