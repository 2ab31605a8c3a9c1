// Hides an action's own secrets in what its attempts print or answer: the values of variables and
// headers whose names say that they are secret, and every API key of this product. Executors use it
// on an outcome before it leaves them. Immutable once filled.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chronos::executor {

class SecretMask {
 public:
  // A shorter value stands in harmless text too often to be masked.
  static constexpr std::size_t kSecretMin = 6;

  // Remembers `value` if `name` says that it is a secret; of "Bearer abc" also the part after the
  // scheme.
  void add(std::string_view name, std::string_view value);

  // How much from the beginning of `text`, which goes on, can be masked by itself: all but an end
  // that may be the beginning of a secret.
  std::size_t whole_part(std::string_view text) const;

  // `text` with every secret and API key replaced. A secret that the bound on output cut in two is
  // not recognised.
  std::string apply(std::string text) const;

 private:
  std::vector<std::string> secrets_;
};

}  // namespace chronos::executor
