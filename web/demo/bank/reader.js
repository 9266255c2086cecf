// The reader on the page answers without a reload; without this file the same form does it by one.
const form = document.querySelector('#reader');
const screen = document.querySelector('#reader-screen');
const use = document.querySelector('#reader-use');
const answer = document.querySelector('#answer');

const digits = () => screen.querySelector('output')?.textContent.replaceAll(' ', '');

const offer = () => {
  if (use) use.hidden = !digits();
};

use?.addEventListener('click', () => {
  answer.value = digits();
  answer.focus();
});

form.addEventListener('submit', async (event) => {
  if (event.submitter?.value !== 'compute') return;
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const said = await fetch(form.action, { method: 'POST', headers: { accept: 'application/json' }, body: fields, redirect: 'error' });
    const result = await said.json();
    if (result.blocked) return location.reload();
    const what = Object.assign(document.createElement('span'), { className: 'what', textContent: result.text });
    screen.replaceChildren(what);
    if (result.answer) {
      const output = Object.assign(document.createElement('output'), { className: 'digits', textContent: result.answer.replace(/(\d{4})/, '$1 ') });
      output.dataset.test = 'reader-answer';
      screen.append(' ', output);
    }
    const pin = form.querySelector('#pin');
    pin.value = '';
    pin.toggleAttribute('aria-invalid', !result.answer);
    form.querySelector('.problem')?.remove();
    offer();
    (result.answer ? use : pin).focus();
  } catch {
    location.reload();
  }
});

offer();
