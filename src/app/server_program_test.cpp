// symbolond as a program: what it says when it can't start, and how it ends.

#include "app/config.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <regex>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace symbolon::app {
namespace {

namespace fs = std::filesystem;

/// A program of the build with its standard error in a pipe. Killed with its object.
class Program {
public:
    explicit Program(std::vector<std::string> arguments)
    {
        std::array<int, 2> pipe{};
        EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
        arguments[0] = std::string{SYMBOLON_PROGRAMS} + '/' + arguments[0];
        std::vector<char*> pointers;
        pointers.reserve(arguments.size() + 1);
        for (auto& argument : arguments) pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        process_ = ::fork();
        if (process_ == 0) {
            ::dup2(pipe[1], STDERR_FILENO);
            ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
            ::execv(pointers[0], pointers.data());
            ::_exit(127);
        }
        ::close(pipe[1]);
        error_ = pipe[0];
    }
    Program(Program const&) = delete;
    Program& operator=(Program const&) = delete;
    ~Program()
    {
        if (process_ > 0) {
            ::kill(process_, SIGKILL);
            ::waitpid(process_, nullptr, 0);
        }
        ::close(error_);
    }

    /// What it has said when it has said `mark`, or when it has ended.
    std::string read_until(std::string_view mark)
    {
        while (said_.find(mark) == std::string::npos) {
            std::array<char, 4096> block{};
            auto const count = ::read(error_, block.data(), block.size());
            if (count <= 0) break;
            said_.append(block.data(), static_cast<std::size_t>(count));
        }
        return said_;
    }
    std::string read_all() { return read_until("\x01"); }

    void ask_to_end(int signal) const { ::kill(process_, signal); }

    int wait()
    {
        read_all();
        int status = 0;
        ::waitpid(std::exchange(process_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

private:
    pid_t process_ = -1;
    int error_ = -1;
    std::string said_;
};

class ServerProgram : public ::testing::Test {
protected:
    fs::path directory = fs::temp_directory_path() / ("symbolond-" + std::to_string(::getpid()) + '-' +
                                                      ::testing::UnitTest::GetInstance()->current_test_info()->name());

    void SetUp() override
    {
        fs::remove_all(directory);
        Program init{{"symbolon", "init", directory.string()}};
        ASSERT_EQ(init.wait(), 0);
        write("");
    }
    void TearDown() override { fs::remove_all(directory); }

    /// Settings with ports that the system chooses.
    void write(std::string const& more)
    {
        std::ofstream{directory / "symbolon.toml"} << "[server]\nthreads = 2\nid_listen = [\"127.0.0.1:0\"]\n"
                                                      "phone_listen = [\"127.0.0.1:0\"]\ndesk_listen = "
                                                      "[\"unix:"
                                                   << (directory / "desk.sock").string() << "\"]\n"
                                                   << more;
    }

    std::vector<std::string> command() const
    {
        return {"symbolond", "--config", (directory / "symbolon.toml").string()};
    }

    struct Refused {
        int status;
        std::string said;
    };
    Refused refused() const
    {
        Program server{command()};
        auto said = server.read_all();
        return {server.wait(), std::move(said)};
    }

    static std::uint16_t port_of(std::string const& url, std::string const& said)
    {
        std::smatch match;
        std::regex const line{url + "\",\"address\":\"127.0.0.1:0\",\"port\":\"([0-9]+)\""};
        EXPECT_TRUE(std::regex_search(said, match, line)) << said;
        return match.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(std::stoul(match[1]));
    }

    static std::string get(std::uint16_t port, std::string const& path)
    {
        auto const descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(descriptor, reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
        auto const request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        EXPECT_EQ(::send(descriptor, request.data(), request.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(request.size()));
        std::string answer;
        std::array<char, 4096> block{};
        for (ssize_t count = 0; (count = ::recv(descriptor, block.data(), block.size(), 0)) > 0;)
            answer.append(block.data(), static_cast<std::size_t>(count));
        ::close(descriptor);
        return answer;
    }
};

TEST_F(ServerProgram, serves_its_origins_and_ends_when_asked)
{
    for (auto const signal : {SIGTERM, SIGINT}) {
        Program server{command()};
        auto const said = server.read_until("symbolond: ready");
        ASSERT_NE(said.find("symbolond: ready"), std::string::npos) << said;
        auto const id = port_of("http://localhost:8400", said);
        auto const phone = port_of("http://localhost:8401", said);
        EXPECT_TRUE(get(id, "/.well-known/openid-configuration").starts_with("HTTP/1.1 200 "));
        EXPECT_TRUE(get(phone, "/d/nonce").starts_with("HTTP/1.1 200 "));
        EXPECT_TRUE(get(phone, "/token").starts_with("HTTP/1.1 404 ")) << "an origin answers for itself alone";
        EXPECT_NE(get(id, "/site").find(R"("test_pki":false)"), std::string::npos);
        server.ask_to_end(signal);
        EXPECT_EQ(server.wait(), 0);
        EXPECT_NE(server.read_all().find("\"event\":\"stopped\""), std::string::npos);
    }
}

TEST_F(ServerProgram, begins_a_new_log_file_when_told_and_goes_on)
{
    write("[log]\nfile = \"server.log\"\n");
    Program server{command()};
    server.read_until("symbolond: ready");
    auto const log = directory / "server.log";
    auto const content = [&] {
        std::ifstream stream{log};
        return std::string{std::istreambuf_iterator<char>{stream}, {}};
    };
    auto const port = port_of("http://localhost:8400", content());
    fs::rename(log, directory / "server.log.1");
    server.ask_to_end(SIGHUP);
    // The signal is on its way; each request writes a line, until one of them is in the new file.
    for (int tries = 0; tries < 10'000 && !fs::exists(log); ++tries)
        EXPECT_TRUE(get(port, "/site").starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(get(port, "/site").starts_with("HTTP/1.1 200 "));
    EXPECT_NE(content().find("\"event\":\"log_reopened\""), std::string::npos) << content();
    server.ask_to_end(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
}

TEST_F(ServerProgram, commands_that_look_make_no_store)
{
    auto const config = (directory / "symbolon.toml").string();
    for (std::vector<std::string> const& look : {std::vector<std::string>{"partner", "list"}, {"verify-log"}}) {
        std::vector<std::string> words{"symbolon"};
        words.insert(words.end(), look.begin(), look.end());
        words.insert(words.end(), {"--config", config});
        Program command{words};
        EXPECT_NE(command.read_all().find("store.db: is not there"), std::string::npos);
        EXPECT_EQ(command.wait(), 1);
    }
    EXPECT_FALSE(fs::exists(directory / "store.db"));
    Program wrong{{"symbolon", "nonsense"}};
    EXPECT_EQ(wrong.wait(), 2);
}

TEST_F(ServerProgram, is_healthy_with_its_vault_and_says_when_it_is_gone)
{
    Program server{command()};
    auto const port = port_of("http://localhost:8400", server.read_until("symbolond: ready"));
    auto const ill = get(port, "/health");
    EXPECT_TRUE(ill.starts_with("HTTP/1.1 503 ")) << ill;
    EXPECT_NE(ill.find(R"({"status":"failed","store":"ok","vault":"failed"})"), std::string::npos) << ill;

    Program vault{{"symbolon-vault", "--dir", (directory / "vault").string()}};
    vault.read_until("ready");
    auto const well = get(port, "/health");
    EXPECT_TRUE(well.starts_with("HTTP/1.1 200 ")) << well;
    vault.ask_to_end(SIGTERM);
    EXPECT_EQ(vault.wait(), 0);
    EXPECT_TRUE(get(port, "/health").starts_with("HTTP/1.1 503 "));
}

TEST_F(ServerProgram, says_what_is_wrong_when_it_can_not_start)
{
    write("port = 8400\n");
    auto const [status, said] = refused();
    EXPECT_EQ(status, 1);
    EXPECT_NE(said.find("symbolon.toml:6:1: server.port is not a setting"), std::string::npos) << said;

    Program unknown{{"symbolond", "--config", (directory / "nowhere.toml").string()}};
    EXPECT_NE(unknown.read_all().find("nowhere.toml: can't be read"), std::string::npos);
    EXPECT_EQ(unknown.wait(), 1);

    Program wrong{{"symbolond", "--nonsense"}};
    EXPECT_EQ(wrong.wait(), 2);
}

TEST_F(ServerProgram, says_which_file_is_wrong)
{
    write("[web]\ndirectory = \"nowhere\"\n");
    EXPECT_NE(refused().said.find("/nowhere/id"), std::string::npos) << refused().said;

    std::ofstream{directory / "root.pem"} << "no certificate";
    write("[card]\nanchors = [{ file = \"root.pem\" }]\n");
    EXPECT_NE(refused().said.find("root.pem: no root certificate"), std::string::npos) << refused().said;

    write("[card]\nissuers = [\"root.pem\"]\n");
    EXPECT_NE(refused().said.find("root.pem: no certificate of a CA"), std::string::npos) << refused().said;

    write("[sms]\ngateway = \"http://127.0.0.1:1/\"\nuser = \"u\"\npassword_file = \"sms.password\"\n");
    EXPECT_NE(refused().said.find("sms.password: can't be read"), std::string::npos) << refused().said;

    write("");
    fs::permissions(directory / "master.key", fs::perms{0644});
    auto const readable = refused();
    EXPECT_EQ(readable.status, 1);
    EXPECT_NE(readable.said.find("master.key"), std::string::npos) << readable.said;
    EXPECT_NE(readable.said.find("0600"), std::string::npos) << readable.said;
}

TEST_F(ServerProgram, is_preceded_by_a_check_of_its_banks_that_names_what_is_wrong)
{
    write("[[bank]]\nid = \"kbc\"\nname = \"KBC\"\nissuer = \"http://127.0.0.1:1/kbc\"\n");
    auto const config = (directory / "symbolon.toml").string();
    Program unknown{{"symbolon", "bank", "check", "ing", "--config", config}};
    EXPECT_EQ(unknown.wait(), 1);
    EXPECT_NE(unknown.read_all().find("no [[bank]] has the id \"ing\"; there are: kbc"), std::string::npos);
    Program silent{{"symbolon", "bank", "check", "kbc", "--config", config}};
    EXPECT_EQ(silent.wait(), 1);
    EXPECT_NE(silent.read_all().find("1 of 1 things about kbc are wrong [bank_unreachable]"), std::string::npos);
    Program keys{{"symbolon", "bank", "keys", "--config", config}};
    EXPECT_EQ(keys.wait(), 0);

    Program server{command()};
    EXPECT_NE(server.read_until("symbolond: ready").find("symbolond: ready"), std::string::npos)
        << "a bank that is down keeps nobody from starting";
    server.ask_to_end(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
}

TEST_F(ServerProgram, says_that_its_port_is_taken)
{
    Program server{command()};
    auto const port = port_of("http://localhost:8400", server.read_until("symbolond: ready"));
    std::ofstream{directory / "symbolon.toml"}
        << "[server]\nid_listen = [\"127.0.0.1:" << port
        << "\"]\nphone_listen = [\"127.0.0.1:0\"]\ndesk_listen = [\"127.0.0.1:0\"]\n";
    auto const [status, said] = refused();
    EXPECT_EQ(status, 1);
    EXPECT_NE(said.find("cannot listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use"),
              std::string::npos)
        << said;
}

} // namespace
} // namespace symbolon::app
