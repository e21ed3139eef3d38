"""What every page of the console has around it, in a real browser."""


def test_a_page_that_is_not_there_says_so_and_leads_back(serving, visit):
    page = visit(serving(measured=False))
    assert page.goto("/console/nowhere").status == 404
    assert page.get_by_role("heading", level=1).inner_text() == "There is no such thing here"
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
