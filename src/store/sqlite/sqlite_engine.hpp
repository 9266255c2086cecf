#pragma once

#include "store/engine.hpp"

#include <filesystem>
#include <memory>

namespace symbolon::store {

/// Records in one SQLite file, write-ahead log, every commit on the disk before its flow goes on.
///
/// One thread writes: it takes all batches that wait into one transaction, each in a savepoint of its own, and answers
/// after COMMIT has returned, each on the event loop that asked (base/executor.hpp); without a loop the caller waits.
/// Reads run at once, on the caller's thread; which version a row has is known without one while nobody else has
/// written (sqlite/row_memory.hpp), so other processes may write the file at any time.
class SqliteEngine final : public Engine {
public:
    struct Options {
        std::size_t most_waiting = 10'000; ///< batches; more fail with `unavailable`
        std::size_t most_at_once = 256;    ///< batches in one transaction
        /// How long a batch waits for company where there was some lately: fewer commits, each a write to the disk.
        std::chrono::microseconds gathering{3000};
        std::size_t lonely = 16; ///< commits of one batch alone in a row, after which nobody waits for company
        std::size_t most_remembered = 16'384; ///< rows whose version and keys are known without asking SQLite
    };

    /// Opens or makes the file and brings its schema up to date. Fails with store_failed.
    static Result<std::unique_ptr<SqliteEngine>> open(std::filesystem::path const& file, Options options);
    static Result<std::unique_ptr<SqliteEngine>> open(std::filesystem::path const& file) { return open(file, {}); }

    /// Finishes the batches that wait, then closes. The event loops that asked must still be there.
    ~SqliteEngine() override;

    Flow<std::optional<Record>> get(Table table, std::string id, std::int64_t known = 0) override;
    Flow<std::optional<std::string>> find(Column const& column, Bytes value) override;
    Flow<std::vector<Record>> list(Query query) override;
    Flow<Committed> commit(std::vector<Write> writes) override;
    Flow<std::vector<LogEntry>> log_of(std::string owner, std::int64_t before, std::size_t at_most) override;
    Flow<std::vector<LogEntry>> log_from(std::int64_t sequence, std::size_t at_most) override;
    Flow<std::int64_t> log_size() override;
    Flow<std::vector<Bytes>> log_hashes(std::vector<crypto::merkle::Node> nodes) override;
    Flow<std::size_t> sweep(Instant now, std::size_t at_most) override;

private:
    class Readers;
    class Writer;
    struct Job;

    Flow<void> written(std::shared_ptr<Job> job);

    SqliteEngine(std::filesystem::path const& file, Options options);

    std::unique_ptr<Readers> readers_;
    std::unique_ptr<Writer> writer_;
};

} // namespace symbolon::store
