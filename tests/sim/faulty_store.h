// A store as one node sees it, whose commits are slow, fail, or have a fate that nobody knows, and
// whose node can die around them: wraps any Store, holds changes back until the simulation says
// what becomes of them. It can have a bug planted, for the tests of the checkers. One thread.
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <variant>

#include "faulty_reads.h"
#include "store/settlement.h"

namespace chronos::sim {

class FaultyStore final : public FaultyReads {
 public:
  using FaultyReads::FaultyReads;

  bool has_waiting() const { return !waiting_.empty(); }

  // Hands what waits to the inner store; the caller pumps that.
  void pass_on() {
    for (auto& operation : std::exchange(waiting_, {})) {
      std::visit([&](auto& change) { pass(std::move(change), std::move(operation.done)); },
                 operation.change);
    }
  }

  // It commits, and tells nobody so. What was claimed is handed back, as a store does that lost its
  // connection in the middle of a commit.
  void pass_on_unknown() {
    for (auto& operation : std::exchange(waiting_, {})) {
      std::visit(
          [&](auto& change) {
            pass(std::move(change),
                 [this, done = std::move(operation.done)](Result<store::Answer> answer) mutable {
                   if (answer) give_back(*answer);
                   done(fail(Reason::unknown_commit, "nobody knows"));
                 });
          },
          operation.change);
    }
  }

  // The store cannot commit: everybody who waits is told so.
  void refuse_waiting(Reason reason) {
    for (auto& operation : std::exchange(waiting_, {})) {
      operation.done(fail(reason, "refused by the test"));
    }
  }

  // The process dies before the commit: nobody is told and nothing happened.
  void drop_waiting() { waiting_.clear(); }

  void on_work(TakeWork take) override { inner_->on_work(std::move(take)); }
  void on_touch(store::Watcher watcher) override { inner_->on_touch(std::move(watcher)); }
  void on_change(std::function<void()> wake) override { inner_->on_change(std::move(wake)); }
  void stop() override { pass_on(); }

 protected:
  void enqueue(std::span<store::Operation> operations) override {
    std::ranges::move(operations, std::back_inserter(waiting_));
  }

 private:
  void give_back(const store::Answer& answer) {
    const auto* claimed = std::get_if<store::ClaimRuns::Answer>(&answer);
    if (claimed == nullptr) return;
    for (const auto& run : *claimed) {
      inner_->commit(store::handed_back(run, run.started_at), [](const auto&) {});
    }
  }

  template <class C>
  void pass(C change, store::Done<store::Answer> done) {
    if (bug_.spoil(change, done)) return;
    inner_->commit(std::move(change), [this, done = std::move(done)](
                                          Result<typename C::Answer> answer) mutable {
      if (!answer) return done(std::unexpected(std::move(answer).error()));
      bug_.note<C>(*answer);
      done(store::Answer(std::in_place_type<typename C::Answer>, std::move(*answer)));
    });
  }

  std::deque<store::Operation> waiting_;
};

}  // namespace chronos::sim
