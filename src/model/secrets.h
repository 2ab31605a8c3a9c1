// What must not be shown: secrets are known by their names, our own API keys by their form. Pure.
#pragma once

#include <string>
#include <string_view>

namespace chronos {

inline constexpr std::string_view kMasked = "***";

// Whether a variable, header or member of this name holds a secret: its name has one of the words
// password, passwd, secret, token, credential, cookie, authorization, api key, private key, in any
// case and joined by '_', '-' or nothing.
bool is_secret_name(std::string_view name);

// Whether what comes after the prefix of an API key may have this character.
bool is_key_character(char c);

// Every API key of this product in `text` loses all but its prefix.
void mask_api_keys(std::string& text);

}  // namespace chronos
