// The roles of a cluster, and what makes its databases and topics.
#include "adapters/kafka/topic.hpp"
#include "adapters/postgres/layout.hpp"
#include "adapters/postgres/migrations.hpp"
#include "app/application.hpp"
#include "app/cluster_parts.hpp"
#include "app/commands/command.hpp"
#include "app/commands/process.hpp"
#include "app/log_settings.hpp"
#include "app/worker_application.hpp"

#include <boost/json/object.hpp>

#include <iostream>

namespace parley::app {
namespace {

int run_front(const Invocation& invocation, Role role) {
    prepare_process();
    Application application(invocation.settings, role);
    std::cout << "Parley is ready: " << application.link() << std::endl;
    return application.run();
}

int run_worker(const Invocation& invocation, MakeWorker make) {
    prepare_process();
    WorkerApplication application(invocation.settings, make);
    std::cout << "Parley is ready: " << application.link() << std::endl;
    return application.run();
}

} // namespace

int run_chat(const Invocation& invocation, Console&) { return run_front(invocation, Role::chat); }
int run_user(const Invocation& invocation, Console&) { return run_front(invocation, Role::user); }
int run_media(const Invocation& invocation, Console&) {
    if (invocation.settings.files.s3_endpoint.empty())
        throw SettingsError("parley media needs the setting s3-endpoint");
    return run_front(invocation, Role::media);
}
int run_ingest(const Invocation& invocation, Console&) {
    return run_worker(invocation, make_ingest_worker);
}
int run_heartbeat(const Invocation& invocation, Console&) {
    return run_worker(invocation, make_heartbeat_worker);
}

int run_migrate(const Invocation& invocation, Console& console) {
    const Settings& settings = invocation.settings;
    system::SpdlogLogger log(log_settings(settings));
    const auto targets = shard_targets(settings);
    postgres::Connection directory(settings.cluster.directory_db);
    postgres::migrate(directory, postgres::kDirectorySteps);
    const auto shards = static_cast<std::uint16_t>(targets.size());
    postgres::Layout layout =
        postgres::load_layout(directory, settings.cluster.partitions, shards);
    for (const std::string& target : targets) {
        postgres::Connection shard(target);
        postgres::migrate(shard, postgres::kShardSteps);
    }
    // Shards that were added are known from now on; `parley reshard` gives them partitions.
    if (postgres::add_shards(directory, shards) > 0) layout = postgres::read_layout(directory);
    kafka::Settings topic = kafka_settings(settings);
    kafka::ensure_topic(topic,
                        {.partitions = static_cast<ports::Partition>(layout.partitions()),
                         .replication = static_cast<int>(settings.cluster.replication)},
                        log);
    topic.topic += "-dead";
    kafka::ensure_topic(
        topic, {.partitions = 1, .replication = static_cast<int>(settings.cluster.replication)},
        log);
    console.print("The directory, " + std::to_string(layout.shards) + " shards and the log of " +
                  std::to_string(layout.partitions()) + " partitions are up to date.\n");
    console.result({{"shards", layout.shards}, {"partitions", layout.partitions()}});
    return kDone;
}

} // namespace parley::app
