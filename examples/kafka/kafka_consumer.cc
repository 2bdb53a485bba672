// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Consumes Kafka topics, one supervised consumer for each, while the processing crashes and the
// brokers fail, and proves at the end that no message was lost.
//
//   kafka_consumer                                   with brokers of its own, which fail
//   kafka_consumer --brokers=host:9092,host2:9092    with real ones, which are left alone; topics
//                                                    must be there, or be made when first used
//
//   producer ─▶ brokers ─▶ consumer of each topic: read, process, commit
//      │          ▲                    │
//      │        faults                 │ what it has processed, and what it leaves uncommitted
//      └──────────────▶ ledger ◀───────┘
//
// Each event of the supervision is a line of JSON on the standard error, or in --event_log. This
// file puts the parts together. Exit status: 0 only if every message was processed at least once,
// and more often only where an attempt had ended before the commit; 1 if not; 2 for wrong flags; 3
// if a signal came before the end, and all that was done until then is right.

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "examples/kafka/broker_faults.h"
#include "examples/kafka/end_of_run.h"
#include "examples/kafka/json_event_log.h"
#include "examples/kafka/ledger.h"
#include "examples/kafka/mock_cluster.h"
#include "examples/kafka/options.h"
#include "examples/kafka/producer.h"
#include "examples/kafka/report.h"
#include "examples/kafka/say.h"
#include "examples/kafka/topic_consumer.h"
#include "foxtive/signals.h"
#include "foxtive/supervisor.h"

namespace kafka_consumer {
namespace {

constexpr int kExitUsage = 2;
constexpr int kBrokers = 3;
constexpr int kPartitions = 2;

// What a stop may take.
constexpr absl::Duration kShutdownTimeout = absl::Seconds(15);

// Null with brokers that are not ours.
absl::StatusOr<std::shared_ptr<MockCluster>> StartCluster(const Options& options) {
  if (!options.brokers.empty()) return nullptr;
  absl::StatusOr<std::shared_ptr<MockCluster>> cluster = MockCluster::Start(kBrokers);
  if (!cluster.ok()) return cluster.status();
  for (const std::string& topic : options.topics) {
    absl::Status status = (*cluster)->CreateTopic(topic, kPartitions, kBrokers);
    if (!status.ok()) return status;
  }
  return cluster;
}

// All that runs, and what it shares. Whatever is captured here by a worker is owned by it.
class Demonstration {
 public:
  Demonstration(Options options, std::shared_ptr<MockCluster> cluster,
                std::shared_ptr<EndOfRun> end)
      : options_(std::move(options)),
        brokers_(cluster ? cluster->brokers() : options_.brokers),
        run_(absl::StrCat(absl::ToUnixNanos(absl::Now()))),
        ledger_(std::make_shared<Ledger>(options_.topics, options_.messages,
                                         [end] { end->Tell(Why::kComplete); })),
        end_(std::move(end)) {
    if (cluster) faults_ = std::make_shared<BrokerFaults>(std::move(cluster), ledger_);
  }

  absl::StatusOr<Run> Supervise();

 private:
  std::vector<foxtive::TaskSpec> Tasks();
  foxtive::TaskSpec ConsumerTask(const std::string& topic, uint64_t index);
  foxtive::TaskSpec ProducerTask() const;
  foxtive::TaskSpec FaultTask() const;
  absl::Status EndOnSignal(foxtive::Supervisor& supervisor,
                           const std::vector<foxtive::TaskHandle>& tasks) const;
  void Introduce() const;
  TaskRow RowOf(const foxtive::TaskHandle& task) const;

  const Options options_;
  const std::string brokers_;
  const std::string run_;
  const std::shared_ptr<Ledger> ledger_;
  const std::shared_ptr<EndOfRun> end_;
  std::shared_ptr<BrokerFaults> faults_;  // null with brokers that are not ours
  std::map<std::string, std::shared_ptr<TopicConsumer>> consumers_;
};

foxtive::TaskSpec Demonstration::ConsumerTask(const std::string& topic, uint64_t index) {
  auto consumer = std::make_shared<TopicConsumer>(
      ConsumerOptions{.brokers = brokers_,
                      .run = run_,
                      .topic = topic,
                      .backoff = options_.backoff,
                      .batch = options_.batch,
                      .sabotage = index == 0 ? options_.sabotage : Sabotage::kNone},
      CrashPlan(options_.seed, index, options_.messages, options_.crashes), ledger_);
  consumers_[topic] = consumer;
  return foxtive::MakeTaskSpec(std::move(consumer));
}

foxtive::TaskSpec Demonstration::ProducerTask() const {
  auto producer = std::make_shared<Producer>(ProducerOptions{.brokers = brokers_,
                                                             .run = run_,
                                                             .topics = options_.topics,
                                                             .messages = options_.messages,
                                                             .pause = options_.pause},
                                             ledger_);
  return {.name = "(producer)",
          .run = [producer](foxtive::TaskContext& context) { return producer->Run(context); },
          .backoff = options_.backoff};
}

foxtive::TaskSpec Demonstration::FaultTask() const {
  return {.name = "(broker faults)",
          .run = [faults = faults_](foxtive::TaskContext& context) { return faults->Run(context); },
          .restart_policy = foxtive::RestartPolicy::Never()};
}

std::vector<foxtive::TaskSpec> Demonstration::Tasks() {
  std::vector<foxtive::TaskSpec> tasks;
  uint64_t index = 0;
  for (const std::string& topic : options_.topics) {
    tasks.push_back(ConsumerTask(topic, index++));
  }
  tasks.push_back(ProducerTask());
  if (faults_) tasks.push_back(FaultTask());
  return tasks;
}

void Demonstration::Introduce() const {
  Say(absl::StrCat(faults_ ? "brokers of its own, which fail: " : "brokers: ", brokers_));
  Say(absl::StrCat(options_.topics.size(), " topics, ", options_.messages, " messages each, ",
                   options_.crashes, " of which make the processing throw once or twice (seed ",
                   options_.seed, "); restarts without limit, backoff ",
                   foxtive::ToString(options_.backoff)));
}

TaskRow Demonstration::RowOf(const foxtive::TaskHandle& task) const {
  TaskRow row;
  if (auto result = task.TryResult()) row.result = *std::move(result);
  if (const auto consumer = consumers_.find(task.name()); consumer != consumers_.end()) {
    row.failed_setups = consumer->second->failed_setups();
    row.errors = consumer->second->errors();
    row.exceptions = consumer->second->exceptions();
  }
  return row;
}

// A signal stops all tasks. The first consumer that is over because of it ends the run; if it is
// the end of the run that stops them, nobody listens any more.
absl::Status Demonstration::EndOnSignal(foxtive::Supervisor& supervisor,
                                        const std::vector<foxtive::TaskHandle>& tasks) const {
  for (const foxtive::TaskHandle& task : tasks) {
    if (consumers_.count(task.name()) == 0) continue;
    absl::Status status = task.OnFinished(
        [end = end_](const foxtive::SupervisionResult&) { end->Tell(Why::kSignal); });
    if (!status.ok()) return status;
  }
  return foxtive::ShutdownOnSignal(supervisor, {SIGINT, SIGTERM});
}

absl::StatusOr<Run> Demonstration::Supervise() {
  auto log = JsonEventLog::Open(options_.event_log);
  if (!log.ok()) return log.status();
  auto supervisor = foxtive::Supervisor::Create({.listener = *log, .seed = options_.seed});
  if (!supervisor.ok()) return supervisor.status();
  const auto tasks = (*supervisor)->RegisterAll(Tasks());
  if (!tasks.ok()) return tasks.status();
  if (absl::Status status = EndOnSignal(**supervisor, *tasks); !status.ok()) return status;
  Introduce();
  const absl::Time begin = absl::Now();
  if (absl::Status status = (*supervisor)->StartAll(); !status.ok()) return status;

  Run run{.why = end_->Wait(options_.patience)};
  run.shutdown = (*supervisor)->Shutdown(kShutdownTimeout);
  run.elapsed = absl::Now() - begin;
  for (const foxtive::TaskHandle& task : *tasks) run.tasks.push_back(RowOf(task));
  run.topics = ledger_->Verdicts();
  if (faults_) {
    run.faults_done = faults_->done();
    run.faults_planned = faults_->planned();
  }
  return run;  // the Supervisor goes first, and with it the last events
}

int Main(int argc, char** argv) {
  const absl::StatusOr<Options> options = ParseOptions(argc, argv);
  if (!options.ok()) {
    std::cerr << "kafka_consumer: " << options.status() << std::endl;
    return kExitUsage;
  }
  const auto end = std::make_shared<EndOfRun>();
  const auto cluster = StartCluster(*options);
  if (!cluster.ok()) {
    std::cerr << "kafka_consumer: " << cluster.status() << std::endl;
    return EXIT_FAILURE;
  }
  const absl::StatusOr<Run> run = Demonstration(*options, *cluster, end).Supervise();
  if (!run.ok()) {
    std::cerr << "kafka_consumer: " << run.status() << std::endl;
    return EXIT_FAILURE;
  }
  const Verdict verdict = Judge(*run);
  Say(absl::StrCat("\n", TaskTable(*run), "\n", TopicTable(*run), "\n", Complaints(*run),
                   verdict.line));
  return verdict.exit_status;
}

}  // namespace
}  // namespace kafka_consumer

int main(int argc, char** argv) { return kafka_consumer::Main(argc, argv); }
