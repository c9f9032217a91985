import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.activation import pairing


@given(st.binary(min_size=32, max_size=32))
def test_codes_read_back_however_they_are_typed(random):
	# 32 bytes that are nearly all above 239 spell no code; the caller draws again.
	if sum(byte < 240 for byte in random) < 8:
		with pytest.raises(ValueError, match="too few"):
			pairing.user_code(random)
		return
	code = pairing.user_code(random)
	assert len(code) == 9 and set(code.replace("-", "")) <= set(pairing.ALPHABET)
	for typed in (code, code.lower(), code.replace("-", ""), f" {code[:2]} {code[2:]} "):
		assert pairing.normalise(typed) == code


def test_every_letter_is_equally_likely():
	accepted = [byte % 20 for byte in range(256) if byte < 240]
	assert {accepted.count(letter) for letter in range(20)} == {12}
	assert pairing.user_code(bytes([255] * 4 + list(range(20)))) == "BCDF-GHJK"


@pytest.mark.parametrize(
	"text", ["", "BCDF", "BCDF-GHJ", "BCDF-GHJKL", "ABCD-EFGH", "1234-5678", "BCDF-GHJÉ", "'; --"]
)
def test_what_is_no_code(text):
	assert pairing.normalise(text) is None
