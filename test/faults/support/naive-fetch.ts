/**
 * How a sender without any memory of its attempts talks to Meta: no token that a status could bring back, and what was not
 * answered was not sent. Here to show that the experiments would notice; nothing of it is in the product.
 */
export const naiveFetch: typeof fetch = async (url, init) => {
  if (!new URL(String(url)).pathname.endsWith("/messages") || typeof init?.body !== "string") return fetch(url, init);
  const { biz_opaque_callback_data: _token, ...body } = JSON.parse(init.body) as Record<string, unknown>;
  try {
    const answer = await fetch(url, { ...init, body: JSON.stringify(body) });
    return answer.status >= 500 ? tryAgain() : answer;
  } catch {
    return tryAgain();
  }
};

function tryAgain(): Response {
  return Response.json({ error: { message: "try again", type: "OAuthException", code: 130429 } }, { status: 429 });
}
